import AlertRules
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

    /// Asks the sink every two seconds whether it can work, so that `oakum status` tells when it cannot. Apart from all else:
    /// one that hangs holds up nothing.
    func followSink() async -> Ending? {
        for await _ in sinkRound.stream {
            if let alertSink { problem("paging", await alertSink.problem) }
        }
        return nil
    }

    func followTidings() async -> Ending? {
        for await tidings in tidings {
            switch tidings {
            case .alerts(let alerts): await alertSink?.take(alerts)
            case .events(let events): await alertSink?.take(events)
            case .impacts(let service, let impacts): await alertSink?.take(impacts, of: service)
            case .bucket(let service, let metric, let bucket): await keep(bucket, of: metric, service: service)
            }
            problem("incidents", nil)
        }
        return nil
    }

    /// What was counted of the business in five minutes: what later days are compared with.
    private func keep(_ bucket: BusinessBucket, of metric: String, service: String) async {
        guard let businessHistory else { return }
        do throws(StoreError) {
            try await businessHistory.append(bucket, of: metric, service: service)
            problem("business history", nil)
        } catch {
            problem("business history", "what was counted cannot be stored: \(error)")
        }
    }

    /// What fired when Oakum ended; once, before the first round. Without it their incidents would never end.
    func recallAlerts() async {
        guard let alertSink else { return }
        let now = host.now()
        let fired = await alertSink.firing()
        rules.assume(fired, at: now)
        for alert in fired where alert.kind == .memoryLeak {
            guard let service = alert.service, alert.fingerprint == LeakAlarm.fingerprint(service),
                services[service] != nil
            else { continue }
            leakAlarms[service, default: LeakAlarm()].assume(alert, at: now)
        }
    }

    /// What was counted on earlier days; once, before the first round.
    func recallBusiness() async {
        guard let businessHistory else { return }
        for service in configuration.services {
            for metric in service.alerts.business {
                do throws(StoreError) {
                    let buckets = try await businessHistory.buckets(of: metric.name, service: service.name)
                    rules.load(metric.name, buckets, of: service.name, at: host.now())
                } catch {
                    problem("business history", "earlier days cannot be read: \(error)")
                }
            }
        }
    }
}
