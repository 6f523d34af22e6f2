//! The watches that fill the stores: LlmRoute, ProviderSecret, Namespace and Pod (metadata only),
//! and those Secrets that are referred to, one by one.
