//! Reads the items of a request into turns, and tools that stand among them.
//!
//! What the assistant thinks, says and calls in a row is one turn; so are the outputs in a row.

use serde_json::value::RawValue;

use super::node::{Kind, Node, Object};
use super::tools_in::Tools;
use super::{agent_message, content_in, envelope, names};
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{CallKind, Part, Role, Thought, ToolCall, Turn};

/// Records of what the service itself ran. The assistant's own words tell what came of it.
const LEFT_OUT: &[&str] = &[
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "computer_call",
    "computer_call_output",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "tool_search_call",
    "tool_search_output",
    "program",
    "program_output",
];

/// What items become, added to what the request's other members say.
#[derive(Default)]
pub(super) struct Items {
    pub(super) turns: Vec<Turn>,
    pub(super) tools: Tools,
    /// The lists of tools that stood among the items, as they stood there.
    pub(super) additional: Vec<Box<RawValue>>,
}

/// A text, or items.
pub(super) fn read(input: &Node<'_>, into: &mut Items) -> Result<(), Refused> {
    match input.kind() {
        Kind::Text => {
            let parts = vec![Part::Text { text: input.text()?, cache: None }];
            into.turns.push(Turn { role: Role::User, parts });
            Ok(())
        }
        Kind::List => input.list()?.iter().try_for_each(|item| read_item(item, into)),
        Kind::Object | Kind::Other => Err(input.refused("must be a string or an array of items")),
    }
}

fn read_item(node: &Node<'_>, into: &mut Items) -> Result<(), Refused> {
    let item = node.object()?;
    let turns = &mut into.turns;
    match kind(&item)?.as_str() {
        "message" => message(&item, turns)?,
        "reasoning" => {
            if let Some(thought) = thought(node, &item)? {
                said(turns, vec![Part::Thinking(thought)]);
            }
        }
        "function_call" => said(turns, vec![call(&item, CallKind::Function)?]),
        "custom_tool_call" => said(turns, vec![call(&item, CallKind::Custom)?]),
        "local_shell_call" => said(turns, vec![built_in(&item, "local_shell", "action")?]),
        "shell_call" => said(turns, vec![built_in(&item, "shell", "action")?]),
        "apply_patch_call" => said(turns, vec![built_in(&item, "apply_patch", "operation")?]),
        "function_call_output" | "custom_tool_call_output" => brought(turns, output(&item)?),
        "local_shell_call_output" | "shell_call_output" | "apply_patch_call_output" => {
            brought(turns, raw_output(&item)?);
        }
        "agent_message" => turns.extend(agent_message::read(&item)?),
        "additional_tools" => {
            into.tools.add(&item)?;
            into.additional.extend(item.raw("tools"));
        }
        kind if LEFT_OUT.contains(&kind) => {}
        kind => return Err(item.refused("type", unknown(kind))),
    }
    Ok(())
}

/// Messages may go without a type, references too.
fn kind(item: &Object<'_>) -> Result<String, Refused> {
    match item.text("type")? {
        Some(kind) => Ok(kind),
        None if item.get("role").is_some() => Ok("message".to_owned()),
        None if item.get("id").is_some() => Ok("item_reference".to_owned()),
        None => Err(item.refused("type", "is missing")),
    }
}

fn unknown(kind: &str) -> String {
    match kind {
        "item_reference" => "nothing is stored here: send the item itself, and `store: false` \
                             makes most clients do so"
            .to_owned(),
        "compaction" | "compaction_summary" | "compaction_trigger" => {
            "only the service that made it can read it: send the messages themselves".to_owned()
        }
        _ => format!("{kind} has no counterpart where this model is served: leave the item out"),
    }
}

fn message(item: &Object<'_>, turns: &mut Vec<Turn>) -> Result<(), Refused> {
    let role = match item.need("role")?.text()?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        "developer" => Role::Developer,
        _ => return Err(item.refused("role", "must be user, assistant, system or developer")),
    };
    let parts = content_in::read(&item.need("content")?)?;
    match role {
        Role::Assistant => said(turns, parts),
        Role::User | Role::System | Role::Developer => turns.push(Turn { role, parts }),
    }
    Ok(())
}

/// Adds to what the assistant says.
fn said(turns: &mut Vec<Turn>, parts: Vec<Part>) {
    match turns.last_mut() {
        Some(turn) if turn.role == Role::Assistant => turn.parts.extend(parts),
        Some(_) | None => turns.push(Turn { role: Role::Assistant, parts }),
    }
}

/// Adds to what the tools bring.
fn brought(turns: &mut Vec<Turn>, result: Part) {
    match turns.last_mut() {
        // No message has any: where the last part is a result, all are.
        Some(Turn { role: Role::User, parts })
            if matches!(parts.last(), Some(Part::ToolResult { .. })) =>
        {
            parts.push(result);
        }
        Some(_) | None => turns.push(Turn { role: Role::User, parts: vec![result] }),
    }
}

/// Ours comes back as what it was; a foreign one stays what it is; one without a proof is text.
fn thought(node: &Node<'_>, item: &Object<'_>) -> Result<Option<Thought>, Refused> {
    let mut text = texts(item, "content")?;
    if text.is_empty() {
        text = texts(item, "summary")?;
    }
    let Some(encrypted) = item.text("encrypted_content")? else {
        return Ok((!text.is_empty()).then_some(Thought::Plain(text)));
    };
    let whole = || Thought::Item(node.raw().get().into());
    Ok(Some(envelope::open(&encrypted, &text).unwrap_or_else(whole)))
}

fn texts(item: &Object<'_>, name: &str) -> Result<String, Refused> {
    let mut texts = Vec::new();
    for part in item.list(name)? {
        texts.extend(part.object()?.text("text")?);
    }
    Ok(texts.join("\n\n"))
}

fn call(item: &Object<'_>, kind: CallKind) -> Result<Part, Refused> {
    let arguments = match kind {
        CallKind::Function => "arguments",
        CallKind::Custom => "input",
    };
    let name = item.need("name")?.text()?;
    let space = item.text("namespace")?;
    Ok(Part::ToolCall(ToolCall {
        id: item.need("call_id")?.text()?,
        name: space.map_or(name.clone(), |space| names::flat(&space, &name)),
        arguments: item.need(arguments)?.text()?,
        kind,
    }))
}

/// A call of a tool whose schema the service knows: it may not be called here, but what was done
/// with it is part of the conversation.
fn built_in(item: &Object<'_>, name: &str, arguments: &str) -> Result<Part, Refused> {
    Ok(Part::ToolCall(ToolCall {
        id: item.need("call_id")?.text()?,
        name: name.to_owned(),
        arguments: item.need(arguments)?.raw().get().to_owned(),
        kind: CallKind::Function,
    }))
}

fn output(item: &Object<'_>) -> Result<Part, Refused> {
    let parts = content_in::read(&item.need("output")?)?;
    Ok(Part::ToolResult { id: item.need("call_id")?.text()?, parts, is_error: false, cache: None })
}

fn raw_output(item: &Object<'_>) -> Result<Part, Refused> {
    // A local shell's output has its call's id as its own.
    let id = item.text("call_id")?.map_or_else(|| item.need("id")?.text(), Ok)?;
    let text = match item.get("output") {
        Some(output) if output.kind() == Kind::Text => output.text()?,
        Some(output) => output.raw().get().to_owned(),
        None => item.text("status")?.unwrap_or_default(),
    };
    let parts = vec![Part::Text { text, cache: None }];
    let is_error = item.text("status")?.as_deref() == Some("failed");
    Ok(Part::ToolResult { id, parts, is_error, cache: None })
}
