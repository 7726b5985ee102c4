"""The app's models, each defined in its part."""

from identity.mfa.models import Policy as Policy
from identity.mfa.models import PolicyVersion as PolicyVersion
from identity.mfa.models import Publication as Publication
