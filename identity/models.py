"""The app's models, each defined in its part."""

from identity.databases.models import ChecklistTick as ChecklistTick
from identity.databases.models import ConfigurationValue as ConfigurationValue
from identity.databases.models import DatabaseDraft as DatabaseDraft
from identity.databases.models import DatabasePublication as DatabasePublication
from identity.databases.models import DatabaseRehearsal as DatabaseRehearsal
from identity.databases.models import DatabaseTest as DatabaseTest
from identity.databases.models import DatabaseVersion as DatabaseVersion
from identity.mfa.models import Policy as Policy
from identity.mfa.models import PolicyVersion as PolicyVersion
from identity.mfa.models import Publication as Publication
