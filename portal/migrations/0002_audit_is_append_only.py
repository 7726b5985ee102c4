"""The database itself refuses to change or remove an audit row."""

from django.db import migrations

SQLITE = [
    f"CREATE TRIGGER audit_no_{act} BEFORE {act} ON portal_auditevent "
    "BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;"
    for act in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    "CREATE FUNCTION audit_refuse() RETURNS trigger AS $$ "
    "BEGIN RAISE EXCEPTION 'audit events are append-only'; END; $$ LANGUAGE plpgsql;",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON portal_auditevent "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse();",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON portal_auditevent "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();",
]
UNDO = {
    "sqlite": ["DROP TRIGGER audit_no_UPDATE;", "DROP TRIGGER audit_no_DELETE;"],
    "postgresql": [
        "DROP TRIGGER audit_no_change ON portal_auditevent;",
        "DROP TRIGGER audit_no_truncate ON portal_auditevent;",
        "DROP FUNCTION audit_refuse();",
    ],
}


def _run(editor, statements):
    for statement in statements:
        editor.execute(statement)


def forwards(apps, editor):
    _run(editor, {"sqlite": SQLITE, "postgresql": POSTGRESQL}[editor.connection.vendor])


def backwards(apps, editor):
    _run(editor, UNDO[editor.connection.vendor])


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
