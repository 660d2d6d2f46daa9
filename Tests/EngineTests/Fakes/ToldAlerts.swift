import OakumEngine
import OakumModel
import OakumTestKit
import Synchronization

/// What an engine told of conditions and acts.
final class ToldAlerts: AlertSink {
    let alerts = Recorder<Alert>()
    let events = Recorder<Event>()
    /// What fired when an earlier oakum ended.
    let fired = Recorder<Alert>()

    private let trouble = Mutex<String?>(nil)

    var problem: String? { get async { trouble.withLock { $0 } } }

    func fail(_ words: String?) { trouble.withLock { $0 = words } }

    func firing() async -> [Alert] { fired.values }

    func take(_ alerts: [Alert]) async {
        for alert in alerts { self.alerts.record(alert) }
    }

    func take(_ events: [Event]) async {
        for event in events { self.events.record(event) }
    }

    func take(_ impacts: [Impact], of service: String) async {}

    func leaks(_ status: Alert.Status) -> [Alert] {
        alerts.values.filter { $0.kind == .memoryLeak && $0.status == status }
    }
}
