import OakumModel

extension Engine {
    /// Once a second, and only where somebody makes incidents of it.
    func tellLeaks(at now: Moment) {
        guard alertSink != nil else { return }
        var alerts: [Alert] = []
        for (name, watch) in services {
            if let alert = leakAlarms[name, default: LeakAlarm()].tick(watch, at: now) { alerts.append(alert) }
        }
        if !alerts.isEmpty { tell(.alerts(alerts)) }
    }

    /// A sink that hangs holds up nothing: what it cannot take is left out, and the next word of the same alert comes soon.
    func tell(_ tidings: Tidings) {
        guard alertSink != nil else { return }
        if case .dropped = newTidings.yield(tidings) {
            problem("incidents", "they are slower than what there is to tell: some of it is missing from timelines")
        }
    }

    func followTidings() async -> Ending? {
        for await tidings in tidings {
            switch tidings {
            case .alerts(let alerts): await alertSink?.take(alerts)
            case .events(let events): await alertSink?.take(events)
            }
        }
        return nil
    }
}
