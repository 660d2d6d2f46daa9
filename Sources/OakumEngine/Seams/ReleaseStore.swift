package import OakumModel
package import Releases

/// Where the releases of services lie, and what is known of them.
package protocol ReleaseStore: Sendable {
    /// What was saved last; an empty one for a service that never had a release.
    func ledger(of service: String) async throws(StoreError) -> ReleaseLedger
    /// Durable when it returns: a deploy acts on nothing that is not.
    func save(_ ledger: ReleaseLedger, of service: String) async throws(StoreError)
    /// Checks an artefact (a file or a folder, with its signature where one is asked for) and unpacks it beside the others,
    /// whole or not at all. One that lies there already with the same contents is taken as it is.
    func unpack(_ artefact: String, for service: String, by: String) async throws(ReleaseProblem) -> ReleaseRecord
    /// Lets `current` name the release, atomically: there is never a moment without one.
    func link(_ release: ReleaseID, of service: String) async throws(ReleaseProblem)
    /// Removes folders that nobody needs any more. What cannot be removed is told.
    func remove(_ releases: [ReleaseID], of service: String) async -> [String]
}

/// Runs what a configuration wants run around a release.
package protocol ReleaseRunner: Sendable {
    /// The hook before the start (migrations, say). Nil when it went well, else what went wrong, for people.
    func prepare(_ release: ReleaseID, of service: String) async -> String?
    /// The post-deployment tests, over one worker's own admin socket. Nil when all passed, else which failed.
    func test(_ release: ReleaseID, of service: String, adminSocket: String) async -> String?
}

/// Why an artefact was not taken: one sentence that says what to do.
package struct ReleaseProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        /// It is not there, not an artefact, damaged, hostile, or for another service.
        case artefact
        case signature
        case diskFull = "disk_full"
        case failed
    }

    package var kind: Kind
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
