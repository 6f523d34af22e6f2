//! Which part of the world a pod may know: the routes of its namespace that select it, the
//! providers that these name and may use, the keys that those and the routes' clients name.
