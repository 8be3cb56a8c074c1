pub mod certificate;
pub mod proxy;
pub mod sniff;
