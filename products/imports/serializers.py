"""What clients send of imports, and what they are shown."""

from rest_framework import serializers

from marketplace.rest.serializers import InputSerializer, StructSerializer
from products.imports.events import ImportData, TaskData, import_data
from products.imports.models import Import


class ImportSerializer(StructSerializer):
    """An import, as its channel shows it."""

    struct = ImportData
    build = staticmethod(import_data)


class ImportInput(InputSerializer):
    """A file that is handed in."""

    file = serializers.FileField(
        use_url=False, help_text="CSV (UTF-8, comma or semicolon) or XLSX, at most 50 MiB."
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Check every row and write none."
    )


class TaskSerializer(StructSerializer):
    """The id under which an import is found."""

    struct = TaskData

    @staticmethod
    def build(job: Import) -> TaskData:
        """The import's id."""
        return TaskData(task_id=str(job.pk))


class CancelInput(InputSerializer):
    """Nothing: the address says which import."""

    representation = ImportData
