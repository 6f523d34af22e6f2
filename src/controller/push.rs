//! The server that sidecars connect to: proves who they are, sends each its bundle, hears answers.
