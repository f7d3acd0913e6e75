"""What a figure shows, in words a patient reads or hears.

Pure. A description is made of whole sentences: where one begins (``POSITIONS``) and what moves
(``MOVES``); the keys stand beside the poses, so that picture and words come from one place. The
sentences are English; whoever shows them passes in what translates them.
"""

from collections.abc import Callable
from typing import Protocol

Translate = Callable[[str], str]


class Told(Protocol):
    """What of a figure the words are made of: keys of POSITIONS and MOVES."""

    @property
    def says(self) -> tuple[str, ...]: ...


def _(text: str) -> str:
    """Marks a sentence for the translators and leaves it as it is."""
    return text


POSITIONS: dict[str, str] = {
    # on the back
    "supine_hands": _(
        "Lying on your back, knees bent, one hand on your chest and one on your belly."
    ),
    "supine_fingers": _("Lying on your back, knees bent, fingertips inside your hip bones."),
    "supine_hands_hips": _("Lying on your back, knees bent, hands on your hip bones."),
    "supine_bent": _("Lying on your back, knees bent, feet flat."),
    "supine_bridge": _("Lying on your back with your hips lifted, feet flat."),
    "supine_one_foot": _("Lying on your back, one foot flat, the other lifted."),
    "supine_arms_crossed": _("Lying on your back, knees bent, arms crossed on your chest."),
    "supine_tabletop": _("Lying on your back, knees over hips and bent."),
    "supine_tabletop_arms": _(
        "Lying on your back, knees over hips and bent, arms pointing at the ceiling."
    ),
    "supine_towel": _("Lying on your back, a folded towel under your head."),
    "supine_one_long": _("Lying on your back, one knee bent, hands under your lower back."),
    "supine_ears": _("Lying on your back, knees bent, fingertips behind your ears."),
    "supine_arms_knees": _("Lying on your back, knees bent, arms stretched towards your knees."),
    "supine_strap_bent": _("Lying on your back, a strap around one foot, that thigh pointing up."),
    "supine_strap_straight": _("Lying on your back, one leg long, a strap around the other foot."),
    "supine_ball": _("Lying on your back, calves and heels on a big ball."),
    "supine_chair": _("Lying on your back, calves on the seat of a chair, hands on your belly."),
    "supine_chair_arms": _("Lying on your back, calves on the seat of a chair, arms loose."),
    "supine_chair_belly": _(
        "Lying on your back, calves on the seat of a chair, one hand on your belly."
    ),
    "supine_above": _("Lying on your back, knees bent, seen from above."),
    "supine_roller": _("Lying along a foam roller, knees bent, seen from above."),
    "bed_edge": _("Lying on the edge of a bed, holding one knee to your chest."),
    # on the side and on the front
    "side_lying_hand": _("Lying on your side, a pillow under your head, one hand on your ribs."),
    "side_prop_knees": _("Lying on your side, propped on your forearm, knees bent."),
    "side_prop_straight": _("Lying on your side, propped on your forearm, legs straight."),
    "side_plank": _("On one forearm and your feet, your body in one line."),
    "prone_arms": _("Lying on your front, arms stretched out in front."),
    "prone_forehead": _("Lying on your front, forehead on your hands."),
    "propped_knees": _("Lying on your front, propped on your forearms, knees on the floor."),
    "propped_toes": _("Lying on your front, propped on your forearms, toes tucked under."),
    "plank_toes": _("On forearms and toes, your body in one line."),
    # on hands and knees, and kneeling
    "all_fours": _("On hands and knees, hands under shoulders, knees under hips."),
    "all_fours_toes": _("On hands and knees, toes tucked under."),
    "all_fours_kneel": _("On hands and knees on a mat."),
    "half_kneeling": _("Kneeling on one knee, the other foot flat in front."),
    "half_kneeling_chair": _("Kneeling on one knee, that foot up on a chair behind you."),
    "half_kneeling_band": _("Kneeling on one knee, side-on to a band, hands at your chest."),
    "half_kneeling_band_high": _("Kneeling on one knee, side-on to a band, both hands on it."),
    "kneeling_band": _("Kneeling tall, side-on to a band, hands at your chest."),
    "kneeling_band_high": _("Kneeling tall, side-on to a band that is fixed above your head."),
    "kneeling_ball": _("Kneeling, forearms on top of a big ball."),
    # sitting
    "sitting_ribs": _("Sitting on a chair, hands around your lower ribs."),
    "sitting_hips": _("Sitting on a chair, hands on your hips."),
    "sitting_tall": _("Sitting tall on a chair, feet flat."),
    "sitting_leg_out": _("Sitting on a chair, one leg straight out, heel on the floor."),
    "sitting_ball": _("Sitting tall on a big ball, feet flat."),
    "sitting_ball_hips": _("Sitting tall on a big ball, hands on your hips."),
    "sitting_high": _("Sitting on a chair with a cushion, hands on your thighs."),
    "sitting_front_edge": _("Sitting near the front of a chair, hands on your thighs."),
    "sitting_arms_crossed": _("Sitting near the front of a chair, arms crossed on your chest."),
    "floor_ball": _("Sitting on the floor with a small ball under your bottom, hands behind you."),
    "bench_back": _("Upper back on a bench, feet flat on the floor."),
    "bench_weight": _("Upper back on a bench, a weight held across your hips."),
    "bench_one_foot": _("Upper back on a bench, one foot on the floor, the other lifted."),
    # standing
    "standing_loose": _("Standing, arms loose."),
    "standing_wall": _("Standing with your back on a wall, feet one step away, knees soft."),
    "standing_heel_out": _("Standing, one heel a small step in front, one hand on a table."),
    "standing_wall_arm": _("Standing beside a wall, one forearm resting on it."),
    "standing_doorway": _("Standing in a doorway, forearms on the frame."),
    "wall_forearms": _("Standing at a wall, forearms resting on it at chest height."),
    "wall_forearm_side": _("Standing side-on to a wall, one forearm on it."),
    "wall_ball": _("Standing with a small ball between your back and a wall."),
    "standing_band": _("Standing side-on to a band, knees soft, hands at your chest."),
    "standing_band_high": _("Standing side-on to a band, feet wide, both hands on it."),
    "standing_band_sport": _("Standing side-on to a band, like in your sport."),
    "standing_stick": _("Standing with a stick along your back, from head to tailbone."),
    "standing_palms": _("Standing, palms on your thighs."),
    "standing_weights": _("Standing, a weight in each hand."),
    "standing_over_weight": _("Standing over a weight on a low step, hips back, knees bent."),
    "standing_weight_chest": _("Standing in front of a chair, a weight held at your chest."),
    "standing_counter": _("Standing at a worktop, both hands on it."),
    "standing_finger": _("Standing beside a worktop, one finger on it."),
    "standing_no_hands": _("Standing near a worktop, hands on your hips."),
    "standing_one_leg": _("Standing on one leg near a worktop, knee soft."),
}
MOVES: dict[str, str] = {
    # breath and deep core
    "belly_breath": _("The belly rises as you breathe in and sinks as you breathe out."),
    "ribs_breath": _("The lower ribs open as you breathe in and close as you breathe out."),
    "walk_breath": _("The breath moves low and wide, on the spot or at a slow walk."),
    "slow_breath": _("The belly rises for three counts and sinks for five."),
    "core_sets": _("The lower belly sets gently, holds and lets go."),
    "core_holds": _("The lower belly sets gently and stays so while you breathe."),
    "rests": _("You rest and let your back settle."),
    # pelvis and spine
    "pelvis_tips_little": _("The pelvis tips back a little, and the lower back nears the floor."),
    "pelvis_rolls": _("The lower back rolls flat to the floor, then to a small arch."),
    "pelvis_rolls_back": _("The pelvis rolls back and the lower back rounds, then you sit tall."),
    "pelvis_tips": _("The pelvis tips, the lower back nears the wall and comes back."),
    "back_rounds_half": _("The back rounds half-way, then sinks to a small arch."),
    "back_rounds_full": _("The back rounds all the way and the head hangs, then the chest lifts."),
    "back_rounds_breath": _(
        "The back rounds as you breathe out. The chest lifts as you breathe in."
    ),
    "thread_turn": _("One arm slides under the chest, then opens up to the ceiling."),
    # stretches
    "thigh_sinks": _("The other thigh hangs down and sinks slowly."),
    "hips_forward": _("The hips shift forward a little, and you stay tall."),
    "hips_forward_reach": _("The hips shift forward, and the arm reaches up to the ceiling."),
    "chest_up": _("The chest comes up until you feel a stretch at the front of the thigh."),
    "knee_straightens": _("The lifted knee straightens part of the way."),
    "straight_leg_lifts": _("The leg lifts with a soft knee, carried by the strap."),
    "tips_forward": _("You tip forward from the hips with a long back."),
    "hips_back_hold": _("The hips move back, and you tip forward with a long back."),
    "arms_open": _("The arms open to the sides and rest, palms up."),
    "turns_away": _("The body turns slowly away from the wall."),
    "steps_through": _("One small step takes the chest forward between the arms."),
    "nods": _("The head nods very slightly, the back of it stays down."),
    "nods_five": _("The head nods slightly and stays there for five seconds."),
    "nods_ten": _("The head nods slightly and stays there for ten seconds."),
    "nods_sitting": _("The head nods slightly, and the back of the neck gets long."),
    # legs and arms on the floor
    "heel_slides": _("One heel slides away along the floor and comes back, then the other."),
    "march": _("One foot lifts and comes down slowly, then the other."),
    "heel_taps": _("One heel taps the floor and comes back, then the other."),
    "one_leg_out": _("One leg stretches out low and comes back, then the other."),
    "opposite_out": _(
        "One arm goes back and the opposite leg stretches out. Both come back, then change sides."
    ),
    "opposite_out_slow": _(
        "Very slowly, one arm goes back and the opposite leg stretches out. Both come back, then "
        "change sides."
    ),
    "arm_reaches": _("One arm lifts forward to ear height and comes back, then the other."),
    "leg_reaches": _("One leg slides back and lifts to hip height, then the other."),
    "opposite_reach": _(
        "One arm reaches forward and the opposite leg reaches back. The hips stay level."
    ),
    "opposite_reach_long": _(
        "One arm and the opposite leg reach out and stay there for ten seconds. Then change sides."
    ),
    "arms_lift": _("Both arms lift a few centimetres and come down slowly."),
    "one_leg_lifts": _("One straight leg lifts a few centimetres, then the other."),
    "opposite_lift": _("One arm and the opposite leg lift a few centimetres. Then change sides."),
    "all_lift": _("Arms and legs lift together a few centimetres."),
    "childs_pose": _("The hips sit back to the heels, the arms reach forward, the head rests."),
    # lifting the hips
    "hips_lift_little": _("The hips lift a hand's width and come down slowly."),
    "hips_lift_full": _("The hips lift until shoulders, hips and knees are in one line."),
    "hips_lift_one": _("The hips lift on one leg, with the thighs side by side."),
    "hips_lift_ball": _("The hips lift to one straight line, and the ball stays still."),
    "hips_lift_table": _("The hips lift until the body is level like a table."),
    "hips_lift_table_slow": _("The hips lift until the body is level, and come down slowly."),
    # planks
    "one_line_hold": _("The body leans in one line from head to heels and stays there."),
    "hips_lift_knees": _("The hips lift to one line from head to knees and stay there."),
    "hips_knees_lift": _("Hips and knees lift to one line from head to heels and stay there."),
    "hand_slides": _("One hand slides slowly forward and back, then the other."),
    "line_side": _("The body leans to the wall in one line and stays there."),
    "hips_lift_side_knees": _("The hips lift to one line from shoulder to knee and stay there."),
    "hips_lift_side": _("The hips lift to one line from head to feet and stay there."),
    "top_leg_lifts": _("The top leg lifts to hip height and stays there."),
    # bands and balls
    "hands_press": _("The hands press straight out, stay there and come back. Nothing turns."),
    "press_and_step": _("The hands press out, one foot steps forward and comes back."),
    "chop": _("The hands pull down across the body to the far hip, and the chest turns."),
    "chop_then_lift": _(
        "The hands pull the band down across the body. In the second set they pull it up."
    ),
    "chop_then_lift_feet": _(
        "The hands pull the band across the body, down in the first set and up in the second. Hips "
        "and feet turn too."
    ),
    "turns_fast": _("The body turns quickly from the hips and stops under control."),
    "arms_rise": _("Both arms rise in front to shoulder height and come down."),
    "ball_rolls_away": _("The ball rolls slowly away as the body leans forward, then comes back."),
    "knees_roll_ball": _("The knees bend a little, and the ball rolls along the back."),
    "leans_still": _("You lean on the ball and stay still."),
    "weight_sinks": _("Your weight sinks slowly on to the ball, and you stay still."),
    "knee_in_out": _("One knee moves slowly out and in."),
    # standing up and bending
    "hinge_stick": _("The hips push back and the body tips. The stick keeps touching."),
    "hinge": _("The hips push back, the hands slide to the knees, and you stand up again."),
    "hinge_weights": _("The hips push back, the weights slide down to just below the knees."),
    "deadlift": _("You stand up with the weight close, and lower it hips first."),
    "stands_up": _("You lean forward, stand tall and sit down slowly."),
    "stands_slowly": _("You stand up to a count of two and sit down to a count of four."),
    "squats": _("The hips reach back and tap the seat, then you stand up."),
    "foot_lifts": _("One foot lifts just off the floor, and you stay tall."),
    "foot_reaches": _("The free foot reaches forward, to the side and behind."),
    "head_lifts": _("The head nods and lifts one centimetre."),
    "head_shoulders_lift": _("Head and shoulders lift a few centimetres as one piece."),
    "curls_up": _("Head and shoulders curl up off the floor and come down slowly."),
    "sits_up": _("You curl up bit by bit until you sit, and roll down slowly."),
}


def describe(told: Told, translate: Translate = _) -> str:
    """The text alternative of a figure. KeyError for a key that has no sentence."""
    sentences = [(POSITIONS | MOVES)[key] for key in told.says]
    return " ".join(translate(sentence) for sentence in sentences)
