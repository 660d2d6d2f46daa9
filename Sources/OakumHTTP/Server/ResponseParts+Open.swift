package import Logging

extension ResponseParts {
    /// Opens what lies in the state folder: `tokens.json`, `links.key`, `links.used` and `audit.jsonl`, all of mode 0600.
    /// Incidents and heartbeats are set by the caller afterwards.
    ///
    /// - Parameters:
    ///   - baseURL: where people reach the console, for links in pages: "https://oakum.example.org".
    ///   - intake: tokens of the configuration.
    /// - Throws: `AccessStoreError` or `SigningKeyError`, whose text says which file and what to do.
    package static func open(
        stateFolder: String, baseURL: String, intake: [AccessDesk.FixedToken] = [], logger: Logger
    ) throws -> ResponseParts {
        ResponseParts(
            access: try AccessDesk(store: FileAccessStore(path: stateFolder + "/tokens.json"), intake: intake),
            links: try ActionLinks(stateFolder: stateFolder, baseURL: baseURL),
            audit: AuditLog(path: stateFolder + "/audit.jsonl", logger: logger))
    }
}
