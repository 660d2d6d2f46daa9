package import Releases

/// What is known of releases; deploys and rollbacks are commands.
package protocol ReleasePlane: Sendable {
    /// Of a service that takes releases. The steps of a deploy are in the journal too, as events of the kind `release`.
    func releases(of service: String) async throws(ControlError) -> ReleaseList
}

/// A wish to deploy.
package struct DeployRequest: Hashable, Sendable, Codable {
    package var service: String
    /// Absolute path, on the machine of `oakum`, of an archive or a folder.
    package var artefact: String
    /// Who asks, as a name for people.
    package var by: String
    /// Seconds; nil: as configured.
    package var canarySeconds: Double?
    /// Promote at once: what is wrong meets users.
    package var skipsCanary: Bool
    /// Deploys were frozen by a release that failed twice; that is understood now.
    package var unfreezes: Bool

    package init(
        service: String, artefact: String, by: String, canarySeconds: Double? = nil, skipsCanary: Bool = false,
        unfreezes: Bool = false
    ) {
        self.service = service
        self.artefact = artefact
        self.by = by
        self.canarySeconds = canarySeconds
        self.skipsCanary = skipsCanary
        self.unfreezes = unfreezes
    }

    private enum CodingKeys: String, CodingKey {
        case service, by
        case artefact = "artifact"
        case canarySeconds = "canary_s"
        case skipsCanary = "skip_canary"
        case unfreezes = "unfreeze"
    }
}

/// The releases of a service, the newest last, and the deploy under way.
package struct ReleaseList: Hashable, Sendable, Codable {
    package var service: String
    package var ledger: ReleaseLedger
    /// What the comparison says now, a line a signal; empty when nothing is compared.
    package var gate: [String]

    package init(service: String, ledger: ReleaseLedger, gate: [String]) {
        self.service = service
        self.ledger = ledger
        self.gate = gate
    }
}
