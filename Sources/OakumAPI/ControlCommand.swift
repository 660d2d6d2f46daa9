package import OakumModel

/// What can be done by hand.
package enum ControlCommand: Hashable, Sendable, Codable {
    /// Replace one worker, or with nil each worker of the service in turn.
    case recycle(service: String, worker: UInt32?)
    /// Stop all acts (true), or allow them again. Watching goes on.
    case pause(Bool)
    /// Stop the workers, the keeper and `oakum`.
    case down
    /// Tell of a release or another change of a service, or with nil of all: it is weighed in diagnoses from now on.
    case markDeploy(service: String?, text: String)
    /// Check and unpack an artefact, then put it into service step by step.
    case deploy(DeployRequest)
    /// Back to a release that ran before, nil: the last that was proven; or take back the deploy under way.
    case rollback(service: String, release: ReleaseID?, by: String)

    private enum CodingKeys: String, CodingKey {
        case command, service, worker, paused, text, release, by
    }

    private enum Name: String, Codable {
        case recycle, pause, down, deploy, rollback
        case markDeploy = "mark_deploy"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Name.self, forKey: .command) {
        case .recycle:
            self = .recycle(
                service: try container.decode(String.self, forKey: .service),
                worker: try container.decodeIfPresent(UInt32.self, forKey: .worker))
        case .pause: self = .pause(try container.decode(Bool.self, forKey: .paused))
        case .down: self = .down
        case .markDeploy:
            self = .markDeploy(
                service: try container.decodeIfPresent(String.self, forKey: .service),
                text: try container.decode(String.self, forKey: .text))
        case .deploy: self = .deploy(try DeployRequest(from: decoder))
        case .rollback:
            self = .rollback(
                service: try container.decode(String.self, forKey: .service),
                release: try container.decodeIfPresent(ReleaseID.self, forKey: .release),
                by: try container.decode(String.self, forKey: .by))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .recycle(let service, let worker):
            try container.encode(Name.recycle, forKey: .command)
            try container.encode(service, forKey: .service)
            try container.encodeIfPresent(worker, forKey: .worker)
        case .pause(let paused):
            try container.encode(Name.pause, forKey: .command)
            try container.encode(paused, forKey: .paused)
        case .down:
            try container.encode(Name.down, forKey: .command)
        case .markDeploy(let service, let text):
            try container.encode(Name.markDeploy, forKey: .command)
            try container.encodeIfPresent(service, forKey: .service)
            try container.encode(text, forKey: .text)
        case .deploy(let request):
            try container.encode(Name.deploy, forKey: .command)
            try request.encode(to: encoder)
        case .rollback(let service, let release, let whom):
            try container.encode(Name.rollback, forKey: .command)
            try container.encode(service, forKey: .service)
            try container.encodeIfPresent(release, forKey: .release)
            try container.encode(whom, forKey: .by)
        }
    }
}

/// What became of a command.
package struct CommandOutcome: Hashable, Sendable, Codable {
    /// One sentence for people.
    package var message: String

    package init(message: String) {
        self.message = message
    }
}
