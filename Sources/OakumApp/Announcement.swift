import Synchronization

/// Says where everything is, once both the console and the services are up.
final class Announcement: Sendable {
    private struct State {
        var consolePort: Int?
        var engineUp = false
        var said = false
    }

    private let configuration: OakumConfiguration
    private let say: @Sendable (String) -> Void
    private let addressOf: @Sendable (String) -> String
    private let state = Mutex(State())

    init(
        configuration: OakumConfiguration, say: @escaping @Sendable (String) -> Void,
        addressOf: @escaping @Sendable (String) -> String
    ) {
        self.configuration = configuration
        self.say = say
        self.addressOf = addressOf
    }

    func consoleBound(port: Int) {
        state.withLock { $0.consolePort = port }
        sayOnce()
    }

    func engineUp() {
        state.withLock { $0.engineUp = true }
        sayOnce()
    }

    private func sayOnce() {
        let port: Int? = state.withLock { state in
            guard state.engineUp, !state.said, let port = state.consolePort else { return nil }
            state.said = true
            return port
        }
        guard let port else { return }
        let console = ListenAddress(host: configuration.console.listen.host, port: port)
        say("console: http://\(console)")
        for service in configuration.services { say("service \(service.name): http://\(addressOf(service.name))") }
        say("Ctrl-C stops everything; `oakum status --state \(configuration.state)` shows where it stands.")
    }
}
