"""How static files are named: after what is in them, the modules that scripts import as well."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Static(CompressedManifestStaticFilesStorage):
    """A script of one version never meets a module of another."""

    support_js_module_import_aggregation = True
