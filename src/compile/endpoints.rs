//! Which endpoint serves which API of a provider.
//!
//! An endpoint of the spec stands before the preset's. A call of an OpenAI kind that no endpoint of
//! its own serves goes to the `OpenAi` endpoint. A base URL given for `OpenAi` replaces the
//! preset's endpoints of the whole family, so that no part of it goes on to the vendor's own host.
//! An endpoint that is wrong is not served at all: falling back would send keys elsewhere.

use super::auth::{self, Form};
use super::report::Report;
use crate::api::{EndpointSpec, ProviderSecretSpec};
use crate::llm::{Api, Dialect};
use crate::provider::{ParameterError, Parameters, Preset, PresetEndpoint};
use crate::table::{Endpoint, Trust};

/// What is known of each API (`api as usize`), before the family's fallback.
pub(super) type Slots = [Slot; Api::ALL.len()];

/// What is known of one API.
#[derive(Debug, Default)]
pub(super) enum Slot {
    /// Nothing serves it.
    #[default]
    Absent,
    /// What should serve it is wrong, which has been reported.
    Broken,
    /// This serves it, in this auth form.
    Ready(Endpoint, Form),
}

/// Reads the endpoints.
pub(super) fn compile(spec: &ProviderSecretSpec, trust: &Trust, report: &mut Report<'_>) -> Slots {
    let preset = Preset::of(spec.provider);
    let (parameters, errors) = Parameters::new(preset, &spec.parameters);
    for (name, error) in errors {
        let name: String = name.chars().take(64).collect();
        let path = format!("spec.parameters.{}", name.escape_default());
        report.error(path, error.to_string(), error.remedy());
    }
    let mut reader = Reader { spec, preset, parameters, trust, report, missing: None };
    let auth = reader.common_auth();
    let mut slots = Slots::default();
    for (i, endpoint) in spec.endpoints.iter().enumerate() {
        reader.own(i, endpoint, auth.as_ref(), &mut slots);
    }
    reader.preset_endpoints(auth.as_ref(), &mut slots);
    reader.check_any(&slots);
    slots
}

/// Everything that is looked at while the endpoints are read.
struct Reader<'a, 'f> {
    spec: &'a ProviderSecretSpec,
    preset: &'static Preset,
    parameters: Parameters,
    trust: &'a Trust,
    report: &'a mut Report<'f>,
    /// A parameter that a URL needs and nobody gave: reported once.
    missing: Option<ParameterError>,
}

/// The auth form for all endpoints: given, not given, or wrong.
type CommonAuth = Option<Option<Form>>;

impl Reader<'_, '_> {
    fn common_auth(&mut self) -> CommonAuth {
        let auth = self.spec.auth.as_ref()?;
        Some(auth::compile(auth, "spec.auth", self.report))
    }

    /// An endpoint of the spec.
    fn own(
        &mut self,
        i: usize,
        endpoint: &EndpointSpec,
        auth: Option<&Option<Form>>,
        slots: &mut Slots,
    ) {
        let api = Api::from(endpoint.api);
        let path = format!("spec.endpoints[{i}]");
        if !matches!(slots[api as usize], Slot::Absent) {
            let message = format!("there is another endpoint for {}", api.as_str());
            self.report.error(format!("{path}.api"), message, "remove one of them");
            return;
        }
        let row = self.row(api);
        let form = match &endpoint.auth {
            Some(auth) => auth::compile(auth, &format!("{path}.auth"), self.report),
            None => self.form(auth, row),
        };
        let parsed = match (&endpoint.base_url, row) {
            (Some(base_url), _) => self.parse(api, base_url, &format!("{path}.baseUrl")),
            (None, Some(row)) => self.of_row(api, row),
            (None, None) => {
                let vendor = self.spec.provider;
                let message = format!("{vendor:?} has no base URL of its own for {}", api.as_str());
                self.report.error(format!("{path}.baseUrl"), message, "add it");
                None
            }
        };
        slots[api as usize] = slot(parsed, form);
    }

    /// The preset's endpoints for what the spec leaves open.
    fn preset_endpoints(&mut self, auth: Option<&Option<Form>>, slots: &mut Slots) {
        let mut own = self.spec.endpoints.iter();
        let family_moved =
            own.any(|own| Api::from(own.api) == Api::OpenAi && own.base_url.is_some());
        for row in self.preset.endpoints {
            let moved = family_moved && row.api.dialect() == Dialect::OpenAi;
            if !moved && matches!(slots[row.api as usize], Slot::Absent) {
                let form = self.form(auth, Some(row));
                let parsed = self.of_row(row.api, row);
                slots[row.api as usize] = slot(parsed, form);
            }
        }
        // Who gave a base URL need not fill in what the vendor's other URLs leave open.
        let own_urls = self.spec.endpoints.iter().any(|own| own.base_url.is_some());
        if let Some(error) = self.missing.take().filter(|_| !own_urls) {
            self.report.error("spec.parameters", error.to_string(), error.remedy());
        }
    }

    fn check_any(&mut self, slots: &Slots) {
        if slots.iter().all(|slot| matches!(slot, Slot::Absent)) {
            let message = format!("{:?} has no host of its own", self.spec.provider);
            let remedy = "add an endpoint, such as {api: OpenAi, baseUrl: http://HOST:PORT} or \
                          {api: AnthropicMessages, baseUrl: http://HOST:PORT}";
            self.report.error("spec.endpoints", message, remedy);
        }
    }

    /// The preset's row for an API, else for its family.
    fn row(&self, api: Api) -> Option<&'static PresetEndpoint> {
        let family = || match api.dialect() {
            Dialect::OpenAi => self.preset.endpoint(Api::OpenAi),
            Dialect::Anthropic | Dialect::Gemini => None,
        };
        self.preset.endpoint(api).or_else(family)
    }

    fn form(&self, auth: Option<&Option<Form>>, row: Option<&PresetEndpoint>) -> Option<Form> {
        match auth {
            Some(form) => form.clone(),
            None => Some(Form::of_preset(row.map_or(self.preset.auth, |row| row.auth))),
        }
    }

    fn of_row(&mut self, api: Api, row: &PresetEndpoint) -> Option<Endpoint> {
        match self.parameters.fill(row.url) {
            Ok(base_url) => self.parse(api, &base_url, "spec.parameters"),
            Err(error @ ParameterError::Missing { .. }) => {
                self.missing.get_or_insert(error);
                None
            }
            // Reported where the parameters were checked.
            Err(_) => None,
        }
    }

    fn parse(&mut self, api: Api, base_url: &str, path: &str) -> Option<Endpoint> {
        match Endpoint::parse(api, base_url, self.trust.clone()) {
            Ok(endpoint) => Some(endpoint),
            Err(error) => {
                self.report.error(path, error.to_string(), error.remedy());
                None
            }
        }
    }
}

fn slot(endpoint: Option<Endpoint>, form: Option<Form>) -> Slot {
    match (endpoint, form) {
        (Some(endpoint), Some(form)) => Slot::Ready(endpoint, form),
        _ => Slot::Broken,
    }
}
