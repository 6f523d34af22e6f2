//! Where a rule's calls go: its targets, resolved, and a plan for each API that they serve.

use std::sync::Arc;

use bytes::Bytes;

use super::providers::{Provider, Providers, Served, Service};
use super::report::Report;
use super::{Subject, World};
use crate::api::{ProviderRef, TargetSpec};
use crate::llm::{Api, Dialect};
use crate::name::ObjectRef;
use crate::table::{Forwarding, Labels, Plan, PlansByApi, Rename, Timeouts, Translation, Weighted};

/// What to do where a provider is to blame.
const OF_PROVIDER: &str = "see the faults of that ProviderSecret";

/// A target that calls can go to.
pub(super) struct Target<'p> {
    /// Its provider.
    pub(super) provider: &'p Provider,
    /// The model sent instead of the caller's.
    pub(super) rename: Option<Rename>,
    service: &'p Service,
    weight: u32,
}

/// An endpoint, and what is translated for it.
#[derive(Clone, Copy)]
struct Way<'p> {
    served: &'p Arc<Served>,
    translation: Option<Translation>,
}

/// What targets are resolved against.
pub(super) struct Context<'c, 'p> {
    pub(super) world: &'p World,
    pub(super) providers: &'p Providers,
    /// The route that names them.
    pub(super) route: &'c ObjectRef,
    /// The APIs that the rule's matches ask for.
    pub(super) asked: &'c [Option<Api>],
}

/// The targets that can be served; the share of the others goes to them.
pub(super) fn compile<'a>(
    context: &Context<'_, 'a>,
    specs: &[TargetSpec],
    path: &str,
    report: &mut Report<'_>,
) -> Vec<Target<'a>> {
    let target = |(i, spec): (usize, &TargetSpec)| {
        let path = format!("{path}[{i}]");
        let provider = provider(context, &spec.provider, &path, report);
        let rename = rename(spec.model.as_deref(), &path, report);
        let provider = provider?;
        let service = service(context, provider, &path, report)?;
        let rename = rename?;
        (spec.weight > 0).then_some(Target { provider, rename, service, weight: spec.weight })
    };
    specs.iter().enumerate().filter_map(target).collect()
}

fn provider<'a>(
    context: &Context<'_, 'a>,
    spec: &ProviderRef,
    path: &str,
    report: &mut Report<'_>,
) -> Option<&'a Provider> {
    let home = &context.route.namespace;
    let namespace = spec.namespace.as_deref().unwrap_or(home.as_str());
    let found = namespace.parse().ok().zip(spec.name.parse().ok());
    let found = found.and_then(|(namespace, name)| {
        let reference = ObjectRef { namespace, name };
        context.providers.get(&reference)
    });
    let allowed = found.filter(|p| p.grant.allows(context.world, &p.reference, home));
    if allowed.is_none() {
        // One message for both in another namespace: its names are not ours to tell.
        let (subject, message, remedy) = match namespace == home.as_str() {
            true => (
                Subject::Provider,
                "there is no such ProviderSecret",
                "create it, or correct the name",
            ),
            false => (
                Subject::Grant,
                "there is no such ProviderSecret, or it does not let this namespace use it",
                "correct the name, or let its owner set allowedRoutes",
            ),
        };
        let name: String = format!("{namespace}/{}", spec.name).escape_default().collect();
        let message = format!("{message}: {name}; the target is left out");
        report.unresolved(subject, format!("{path}.provider"), (message, remedy));
    }
    allowed
}

/// How the provider is called, if it serves anything that is asked of it.
fn service<'a>(
    context: &Context<'_, '_>,
    provider: &'a Provider,
    path: &str,
    report: &mut Report<'_>,
) -> Option<&'a Service> {
    let label = &provider.label;
    let Some(service) = &provider.service else {
        let message = format!("ProviderSecret {label} cannot be used; the target is left out");
        let words = (message, OF_PROVIDER);
        report.unresolved(Subject::Dependency, format!("{path}.provider"), words);
        return None;
    };
    if context.asked.iter().any(|api| service.serves(*api)) {
        return Some(service);
    }
    let path = format!("{path}.provider");
    if service.serves(None) {
        let message =
            format!("ProviderSecret {label} serves no API that the rule's matches ask for");
        let remedy = "add an endpoint for it to the ProviderSecret";
        report.error(path, format!("{message}; the target is left out"), remedy);
    } else {
        let message = format!("ProviderSecret {label} has no endpoint and key that can be used");
        let words = (format!("{message}; the target is left out"), OF_PROVIDER);
        report.unresolved(service.lack, path, words);
    }
    None
}

/// `None` is a wrong one, `Some(None)` none.
fn rename(model: Option<&str>, path: &str, report: &mut Report<'_>) -> Option<Option<Rename>> {
    let Some(model) = model else {
        return Some(None);
    };
    if matches!(model, "" | "." | "..") {
        report.error(
            format!("{path}.model"),
            "it is not a model name; the target is left out",
            "name the model to send, or leave it out to send the caller's",
        );
        return None;
    }
    // A string always serialises.
    let json = serde_json::to_vec(model).ok()?;
    Some(Some(Rename { name: model.into(), json: Bytes::from(json) }))
}

/// The ways to a rule's targets, per API.
pub(super) fn forwarding(
    targets: &[Target<'_>],
    (route, rule): (&Arc<str>, &Arc<str>),
    timeouts: Timeouts,
) -> Forwarding {
    let made: Vec<_> = targets
        .iter()
        .map(|target| {
            let labels = Labels {
                route: Arc::clone(route),
                rule: Arc::clone(rule),
                provider: Arc::clone(&target.provider.label),
                vendor: target.provider.vendor,
            };
            target.plans(&labels, timeouts)
        })
        .collect();
    Forwarding {
        plans: by_api(targets, &made, |_| true),
        untranslated: by_api(targets, &made, |plan| plan.translation.is_none()),
    }
}

/// One target's plans, per API.
type PlansOfTarget = [Option<Arc<Plan>>; Api::ALL.len()];

fn by_api(
    targets: &[Target<'_>],
    made: &[PlansOfTarget],
    wanted: impl Fn(&Plan) -> bool,
) -> PlansByApi {
    Api::ALL.map(|api| {
        Weighted::new(targets.iter().zip(made).filter_map(|(target, plans)| {
            let plan = plans[api as usize].as_ref().filter(|plan| wanted(plan))?;
            Some((target.weight, Arc::clone(plan)))
        }))
    })
}

// === impl Target ===

impl Target<'_> {
    /// Does it serve calls that a match of this API takes?
    pub(super) fn serves(&self, api: Option<Api>) -> bool {
        self.service.serves(api)
    }

    /// One plan for each endpoint and translation, shared by the APIs that it serves.
    fn plans(&self, labels: &Labels, timeouts: Timeouts) -> PlansOfTarget {
        let mut made: Vec<(Way<'_>, Arc<Plan>)> = Vec::new();
        Api::ALL.map(|api| {
            let way = self.service.way(api)?;
            if let Some((_, plan)) = made.iter().find(|(other, _)| other.is(&way)) {
                return Some(Arc::clone(plan));
            }
            let plan = Arc::new(self.plan(way, labels.clone(), timeouts));
            made.push((way, Arc::clone(&plan)));
            Some(plan)
        })
    }

    fn plan(
        &self,
        Way { served, translation }: Way<'_>,
        labels: Labels,
        timeouts: Timeouts,
    ) -> Plan {
        Plan {
            labels,
            translation,
            endpoint: served.endpoint.clone(),
            rename: self.rename.clone(),
            client_credentials: served.client_credentials.clone(),
            accounts: served.accounts.clone(),
            headers: self.service.headers.clone(),
            timeouts,
            stream_usage: self.service.stream_usage,
        }
    }
}

// === impl Service ===

impl Service {
    /// Does it serve any call that a match of this API takes?
    fn serves(&self, api: Option<Api>) -> bool {
        match api {
            None => self.served.iter().any(Option::is_some),
            Some(Api::OpenAi) => Api::ALL
                .into_iter()
                .any(|api| api.dialect() == Dialect::OpenAi && self.way(api).is_some()),
            Some(api) => self.way(api).is_some(),
        }
    }

    /// How calls of an API are served: as they come, else translated.
    fn way(&self, api: Api) -> Option<Way<'_>> {
        if let Some(served) = &self.served[api as usize] {
            return Some(Way { served, translation: None });
        }
        let translation = self.translated[api as usize]?;
        let served = self.served[translation.pair.upstream().api() as usize].as_ref()?;
        Some(Way { served, translation: Some(translation) })
    }
}

// === impl Way ===

impl Way<'_> {
    fn is(&self, other: &Way<'_>) -> bool {
        Arc::ptr_eq(self.served, other.served) && self.translation == other.translation
    }
}
