//! Reads the tools of a request, and which of them must be called.
//!
//! Tools that the service itself runs have no counterpart. What is but an offer (Codex sends a
//! search with every request) goes on as it is, for the writer to leave out where there are others;
//! what brings knowledge or a machine with it is refused.

use std::collections::HashSet;

use super::names;
use super::node::{Kind, Node, Object};
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Tool, ToolChoice};

/// It lets programs call the tools; the model itself may call them all the same.
const PROGRAMS: &str = "programmatic_tool_calling";

/// Tools, each of a name of its own where that is asked for.
#[derive(Debug, Default)]
pub(super) struct Tools {
    list: Vec<Tool>,
    names: HashSet<String>,
}

/// `None` where the model chooses anyway, or where there is nothing to choose from.
pub(super) fn choice(request: &Object<'_>, tools: &[Tool]) -> Result<Option<ToolChoice>, Refused> {
    let Some(node) = request.get("tool_choice") else { return Ok(None) };
    let choice = match node.kind() {
        Kind::Text => word(&node)?,
        Kind::Object => choice_of(&node.object()?)?,
        Kind::List | Kind::Other => return Err(node.refused("must be a string or an object")),
    };
    match choice {
        ToolChoice::Auto | ToolChoice::None if tools.is_empty() => Ok(None),
        ToolChoice::Required | ToolChoice::Tool(_) if tools.is_empty() => {
            Err(node.refused("there is no tool to call: list a function tool, or leave this out"))
        }
        choice => Ok(Some(choice)),
    }
}

// === impl Tools ===

impl Tools {
    /// Of a request.
    pub(super) fn of(request: &Object<'_>) -> Result<Self, Refused> {
        let mut tools = Self::default();
        for node in request.list("tools")? {
            tools.read(&node)?;
        }
        Ok(tools)
    }

    /// Of an item, as Codex sends them; what an earlier item brought stands once.
    pub(super) fn add(&mut self, item: &Object<'_>) -> Result<(), Refused> {
        for tool in Self::of(item)?.list {
            if self.names.insert(name_of(&tool).to_owned()) {
                self.list.push(tool);
            }
        }
        Ok(())
    }

    /// All of them, in their order.
    pub(super) fn into_list(self) -> Vec<Tool> {
        self.list
    }

    fn read(&mut self, node: &Node<'_>) -> Result<(), Refused> {
        let spec = node.object()?;
        match spec.need("type")?.text()?.as_str() {
            "namespace" => self.namespace(&spec)?,
            PROGRAMS => {}
            kind => {
                let tool = tool(&spec, kind, None).or_else(|refused| offer(node, kind, refused))?;
                self.names.insert(name_of(&tool).to_owned());
                self.list.push(tool);
            }
        }
        Ok(())
    }

    fn namespace(&mut self, spec: &Object<'_>) -> Result<(), Refused> {
        let namespace = name(spec)?;
        for node in spec.list("tools")? {
            let inner = node.object()?;
            let kind = inner.need("type")?.text()?;
            let tool = tool(&inner, &kind, Some(&namespace))?;
            if !self.names.insert(name_of(&tool).to_owned()) {
                let why = format!("another tool is called {} already", name_of(&tool));
                return Err(inner.refused("name", why));
            }
            self.list.push(tool);
        }
        Ok(())
    }
}

/// A hosted tool that is but an offer, or the refusal of another.
fn offer(node: &Node<'_>, kind: &str, refused: Refused) -> Result<Tool, Refused> {
    let hosted = Tool::Hosted { kind: kind.to_owned(), raw: node.raw() };
    if hosted.is_an_offer() { Ok(hosted) } else { Err(refused) }
}

fn tool(spec: &Object<'_>, kind: &str, namespace: Option<&str>) -> Result<Tool, Refused> {
    let full = |name: String| namespace.map_or(name.clone(), |space| names::flat(space, &name));
    match kind {
        "function" => Ok(Tool::Function {
            name: full(name(spec)?),
            description: spec.text("description")?,
            schema: schema(spec)?,
            strict: spec.boolean("strict")?,
            cache: None,
        }),
        "custom" => Ok(Tool::Custom {
            name: full(name(spec)?),
            description: spec.text("description")?,
            format: spec.raw("format"),
        }),
        _ => Err(spec.refused("type", hosted(kind))),
    }
}

fn schema(spec: &Object<'_>) -> Result<Option<Box<serde_json::value::RawValue>>, Refused> {
    let Some(schema) = spec.get("parameters") else { return Ok(None) };
    match schema.kind() {
        Kind::Object => Ok(Some(schema.raw())),
        Kind::Text | Kind::List | Kind::Other => Err(schema.refused("must be an object")),
    }
}

fn hosted(kind: &str) -> String {
    format!(
        "{kind} is run by the service that has it, and this model is served elsewhere: offer a \
         function tool instead"
    )
}

fn name(spec: &Object<'_>) -> Result<String, Refused> {
    let name = spec.need("name")?.text()?;
    if name.is_empty() { Err(spec.refused("name", "must not be empty")) } else { Ok(name) }
}

fn name_of(tool: &Tool) -> &str {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => name,
        Tool::Hosted { kind, .. } => kind,
    }
}

fn word(node: &Node<'_>) -> Result<ToolChoice, Refused> {
    match node.text()?.as_str() {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Required),
        _ => Err(node.refused("must be auto, none, required or an object")),
    }
}

fn choice_of(choice: &Object<'_>) -> Result<ToolChoice, Refused> {
    match choice.need("type")?.text()?.as_str() {
        "function" | "custom" => Ok(ToolChoice::Tool(chosen(choice)?)),
        "allowed_tools" => allowed(choice),
        kind => Err(choice.refused("type", hosted(kind))),
    }
}

/// Hosted tools among the allowed are left out like those of `tools`.
fn allowed(choice: &Object<'_>) -> Result<ToolChoice, Refused> {
    let mut names = Vec::new();
    for node in choice.list("tools")? {
        let tool = node.object()?;
        let kind = tool.need("type")?.text()?;
        match kind.as_str() {
            "function" | "custom" => names.push(chosen(&tool)?),
            kind => {
                offer(&node, kind, tool.refused("type", hosted(kind)))?;
            }
        }
    }
    let required = choice.text("mode")?.as_deref() == Some("required");
    match (names.is_empty(), required) {
        (true, true) => Err(choice.refused("tools", "none of them can be called here")),
        (true, false) => Ok(ToolChoice::None),
        (false, _) => Ok(ToolChoice::Allowed { names, required }),
    }
}

fn chosen(tool: &Object<'_>) -> Result<String, Refused> {
    let name = name(tool)?;
    Ok(tool.text("namespace")?.map_or(name.clone(), |space| names::flat(&space, &name)))
}
