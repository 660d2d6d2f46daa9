import AlertRules
import Foundation
import Incidents
import Notify
package import OakumModel
import Paging
package import Postmortem
import StrictYAML

extension PlanFacts {
    /// The plan that a configuration makes; no secret of it is shown.
    ///
    /// - Parameters:
    ///   - file: the configuration, as it was named.
    ///   - now: for which "who is on call" holds.
    package init(_ configuration: OakumConfiguration, file: String, now: WallTime) {
        let response = configuration.response
        let nextWeek = WallTime(milliseconds: now.milliseconds + 7 * 86_400_000)
        let faults = response.plan.problems(at: now, until: nextWeek).map { "\($0.subject): \($0.words)" }
        let channels = response.channels(state: configuration.state)
        let policies = response.plan.policies.map { PlannedPolicy($0, response.plan, channels, at: now) }
        self.init(
            configuration: file, state: configuration.state, console: "http://\(configuration.console.listen)",
            observeOnly: configuration.observeOnly, pagesFrom: response.incidents.pagesFrom,
            services: configuration.services.map { PlannedService($0, defaultPolicy: response.defaultPolicy) },
            policies: policies, schedules: response.plan.schedules.map { PlannedSchedule($0, at: now) },
            channels: channels.map { PlannedChannel(name: $0.name, words: $0.words, isLocal: $0.isLocal) },
            audiences: response.audiences.map { PlannedAudience($0, channels) },
            deadMan: response.deadMan.map { settings in
                // The rest of the address may be a secret.
                let host = URLComponents(string: settings.url.reveal())?.host ?? "an address outside"
                return PlannedDeadMan(host: host, everySeconds: settings.every)
            },
            hasActionLinks: true, asOf: now, problems: faults + response.warnings.map(\.description))
    }
}

extension PlannedService {
    init(_ settings: ServiceSettings, defaultPolicy: String?) {
        let rules = settings.recycle
        self.init(
            name: settings.name, address: "\(settings.listen)", workers: settings.workers,
            budget: ByteCount(settings.budgetBytes),
            recycling: Recycling(
                atPercent: rules.atPercent, leadSeconds: rules.lead, minimumIntervalSeconds: rules.minimumInterval,
                atMostPerHour: rules.atMostPerHour, capacityFloor: rules.capacityFloor,
                drainDeadlineSeconds: rules.drainDeadline),
            samplesHeap: settings.heap.sampler,
            policy: settings.paging.pagesNobody ? nil : settings.paging.policy ?? defaultPolicy,
            pagesNobody: settings.paging.pagesNobody, runbook: settings.paging.runbook,
            ackSeconds: settings.alerts.ackSeconds, mitigateSeconds: settings.alerts.mitigateSeconds,
            alerts: settings.alerts.words)
    }
}

extension PlannedPolicy {
    init(_ policy: EscalationPolicy, _ plan: PagingPlan, _ channels: [ChannelSettings], at now: WallTime) {
        var offset = 0.0
        let steps = policy.steps.map { step in
            offset += step.afterSeconds
            return Step(
                afterSeconds: offset,
                targets: step.targets.map { target in
                    let found = plan.recipients(of: [target], at: now).recipients
                    var people: [String] = []
                    for person in found.compactMap(\.person) where !people.contains(person) { people.append(person) }
                    return Target(
                        who: "\(target)", people: people,
                        ways: found.map { recipient in
                            Way(
                                person: recipient.person, channel: recipient.channel,
                                address: channels.shown(recipient.address, of: recipient.channel),
                                afterSeconds: recipient.afterSeconds)
                        })
                })
        }
        self.init(
            name: policy.name, steps: steps, repeats: policy.repeats, repeatAfterSeconds: policy.repeatAfterSeconds,
            acknowledgementSeconds: policy.acknowledgementSeconds)
    }
}

extension PlannedSchedule {
    init(_ schedule: Schedule, at now: WallTime) {
        let shift = schedule.shift(at: now)
        self.init(name: schedule.name, now: shift.now.people, until: shift.now.until, next: shift.next)
    }
}

extension PlannedAudience {
    init(_ audience: AudienceSettings, _ channels: [ChannelSettings]) {
        self.init(
            name: audience.name, channel: audience.channel,
            address: channels.shown(audience.address, of: audience.channel), services: audience.services.sorted(),
            stages: Audience.Stage.allCases.filter(audience.stages.contains).map(\.rawValue))
    }
}

// MARK: - Channels

extension [ChannelSettings] {
    /// Addresses of mail are no secrets; a topic of ntfy or a key of PagerDuty is.
    fileprivate func shown(_ address: String?, of channel: String) -> String? {
        guard case .mail = first(where: { $0.name == channel })?.kind else { return nil }
        return address
    }
}

extension ChannelSettings {
    fileprivate var isLocal: Bool {
        switch kind {
        case .file, .console: true
        case .mail, .webhook, .slack, .pagerDuty, .ntfy: false
        }
    }

    /// What it is, without its secrets.
    fileprivate var words: String {
        switch kind {
        case .mail(let mail): "mail through \(mail.host)"
        case .webhook(let webhook):
            webhook.secrets.isEmpty ? "webhook, not signed" : "webhook, signed (Standard Webhooks)"
        case .slack: "Slack"
        case .pagerDuty: "PagerDuty"
        case .ntfy(let ntfy): "ntfy at \(URLComponents(string: ntfy.server)?.host ?? "its server")"
        case .file(let file): "the file \(file.path): somebody has to read it"
        case .console: "standard error of `oakum up`: somebody has to watch it"
        }
    }
}
