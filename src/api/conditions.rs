//! The conditions of both resources: their types, and each one's closed list of reasons.
//!
//! Owns the words that operators wait for and alert on, with a meaning and a remedy each;
//! `docs/status.md` is written from here. All conditions are positive: True is good. Does not know
//! when a reason applies: that is `controller::status`'s.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A kind of condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionType {
    /// Is what the object says right?
    Accepted,
    /// Is everything that the object names there, and may it be used?
    ResolvedRefs,
    /// Does it run in every sidecar that it concerns? Only of an LlmRoute.
    Programmed,
}

/// What a reason says: in a condition, and in the manual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// The condition's type.
    pub of: ConditionType,
    /// Its `reason`.
    pub reason: &'static str,
    /// Its `status`: `True` or `False`.
    pub status: &'static str,
    /// What it means, for the manual.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// A closed list of reasons. The doc comment of a reason is its meaning in the manual, so that
/// there is one text and not two.
macro_rules! reasons {
    ($(#[doc = $doc:literal])* $name:ident of $of:ident {
        $($(#[doc = $meaning:literal])+ $reason:ident: $status:literal, $remedy:literal;)+
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[doc = $meaning])+ $reason,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$reason),+];

            /// What it says.
            pub const fn words(self) -> Words {
                match self {
                    $(Self::$reason => Words {
                        of: ConditionType::$of,
                        reason: stringify!($reason),
                        status: $status,
                        meaning: concat!($($meaning),+),
                        remedy: $remedy,
                    },)+
                }
            }
        }
    };
}

reasons! {
    /// Reasons of `Accepted`.
    AcceptedReason of Accepted {
        /// The object is right as it stands.
        Accepted: "True", "nothing need be done";
        /// The object is right, but part of it never gets a call: an older or earlier rule, named
        /// in the message, claims the same calls.
        Shadowed: "True", "remove one of the two, or make this one narrower";
        /// Part of the object is wrong. The rest of it works; a rule with nothing left refuses its
        /// calls with 503.
        Invalid: "False", "correct the field that the message names";
        /// The object is of a form that this controller cannot read at all.
        Undecodable: "False", "apply the definitions and the controller of the same version";
    }
}

reasons! {
    /// Reasons of `ResolvedRefs`.
    ResolvedRefsReason of ResolvedRefs {
        /// Everything that the object names is there and may be used.
        ResolvedRefs: "True", "nothing need be done";
        /// A ProviderSecret that a target names is not there.
        ProviderNotFound: "False", "create it, or correct the name";
        /// A ProviderSecret of another namespace is not there, or does not let this one use it.
        RefNotPermitted: "False", "correct the name, or let its owner set allowedRoutes";
        /// A ProviderSecret that a target names is there, but has an error of its own.
        ProviderNotUsable: "False", "see the status of that ProviderSecret";
        /// A Secret or its key is not there, or holds nothing that can be sent.
        KeyNotUsable: "False", "create the Secret, add the key, or correct the reference";
    }
}

reasons! {
    /// Reasons of `Programmed`.
    ProgrammedReason of Programmed {
        /// Every sidecar that the route concerns runs it as it stands.
        Programmed: "True", "nothing need be done";
        /// A sidecar has not answered yet. This passes within a second.
        Pending: "False", "wait; if it stays, look at the sidecar's log";
        /// No sidecar that the route selects is connected.
        NoSidecars: "False", "compare spec.workloads with the labels of the pods, and see that \
            these carry the sidecar";
        /// The route has an error, and a sidecar goes on with its last version without one.
        LastGoodKept: "False", "correct what Accepted or ResolvedRefs says";
        /// A sidecar cannot read what it was sent; what ran there before goes on.
        Rejected: "False", "restart the pod, so that its sidecar is of the controller's version";
    }
}

// === impl ConditionType ===

impl ConditionType {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::ResolvedRefs, Self::Programmed];

    /// The condition's `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::Programmed => "Programmed",
        }
    }

    /// The question that it answers.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Accepted => "Is what the object says right?",
            Self::ResolvedRefs => "Is everything that it names there, and may it be used?",
            Self::Programmed => "Does the route run in every sidecar that it concerns?",
        }
    }

    /// Its reasons.
    pub fn reasons(self) -> Vec<Words> {
        match self {
            Self::Accepted => AcceptedReason::ALL.iter().map(|r| r.words()).collect(),
            Self::ResolvedRefs => ResolvedRefsReason::ALL.iter().map(|r| r.words()).collect(),
            Self::Programmed => ProgrammedReason::ALL.iter().map(|r| r.words()).collect(),
        }
    }
}

/// Conditions as Kubernetes defines them, with bounds, which the generated schema lacks.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    const WORD: &str = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";
    json_schema!({
        "type": "array",
        "maxItems": 8,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {
                    "description": "Accepted, ResolvedRefs or Programmed.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 63,
                    "pattern": WORD,
                },
                "status": {
                    "description": "True is good.",
                    "type": "string",
                    "enum": ["True", "False", "Unknown"],
                },
                "reason": {
                    "description": "Why, in one word of a closed list.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 63,
                    "pattern": WORD,
                },
                "message": {
                    "description": "Why, with the field and the remedy; one line for each fault.",
                    "type": "string",
                    "maxLength": 32768,
                },
                "observedGeneration": {
                    "description": "The metadata.generation that this was said of. If it is not \
                        the object's, the controller has not seen the last change yet.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                },
                "lastTransitionTime": {
                    "description": "When `status` changed last.",
                    "type": "string",
                    "format": "date-time",
                    "maxLength": 64,
                },
            },
        },
    })
}
