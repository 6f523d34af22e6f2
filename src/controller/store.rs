//! What a watch has told so far, by namespace and name.
//!
//! A relist never empties it: what the new list brings is kept aside until the list is complete,
//! then it replaces the old content at once.
