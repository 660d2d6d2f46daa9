import Foundation
import OakumModel
import Postmortem
import Testing

@Suite struct PlanTests {
    private static let recycling = PlannedService.Recycling(
        atPercent: 85, leadSeconds: 30, minimumIntervalSeconds: 5, atMostPerHour: 120, capacityFloor: 1,
        drainDeadlineSeconds: 15)

    private static let facts = PlanFacts(
        configuration: "oakum.yaml", state: "/var/lib/oakum", console: "http://127.0.0.1:9100",
        services: [
            PlannedService(
                name: "registrar", address: "127.0.0.1:8080", workers: 2, budget: .mebibytes(256),
                recycling: recycling, samplesHeap: true, policy: "registration",
                runbook: "https://runbooks.example.org/registration",
                alerts: ["error rate above 5 %", "sign-ups by half"]),
            PlannedService(
                name: "profiles", address: "127.0.0.1:8081", workers: 4, budget: .mebibytes(512),
                recycling: recycling, samplesHeap: false),
        ],
        policies: [
            PlannedPolicy(
                name: "registration",
                steps: [
                    .init(
                        afterSeconds: 0,
                        targets: [
                            .init(
                                who: "schedule primary", people: ["ada"],
                                ways: [
                                    .init(person: "ada", channel: "ops-mail", address: "ada@example.org"),
                                    .init(person: "ada", channel: "pager", afterSeconds: 120),
                                ])
                        ]),
                    .init(
                        afterSeconds: 300,
                        targets: [
                            .init(
                                who: "person grace", people: ["grace"], ways: [.init(person: "grace", channel: "pager")]
                            ),
                            .init(who: "channel chat", ways: [.init(channel: "chat")]),
                            .init(who: "schedule night"),
                        ]),
                ], repeats: 2, repeatAfterSeconds: 600, acknowledgementSeconds: 1_800)
        ],
        schedules: [
            PlannedSchedule(name: "primary", now: ["ada"], until: RegistrationIncident.at(90_000), next: ["grace"]),
            PlannedSchedule(name: "night", now: []),
        ],
        channels: [PlannedChannel(name: "ops-mail", words: "mail through smtp.example.org")],
        audiences: [
            PlannedAudience(
                name: "business", channel: "ops-mail", address: "business@example.org", services: ["registrar"],
                stages: ["impact", "cause_known", "restored"])
        ],
        deadMan: PlannedDeadMan(host: "deadman.example.org", everySeconds: 60), hasActionLinks: true,
        asOf: RegistrationIncident.at(0))

    @Test func `the plan is the one that was read over`() throws {
        try expectGolden(IncidentPlan(Self.facts, zone: RegistrationIncident.newYork).markdown, "plan.md")
    }

    @Test func `what is missing is named, with what to do`() {
        let plan = IncidentPlan(Self.facts, zone: .utc)
        #expect(
            plan.gaps == [
                "policy registration: schedule night cannot be reached now",
                "nobody is paged for profiles: name a policy for it",
                "profiles has no runbook: give it an address",
                "leaks of profiles cannot be named: let its workers carry the sampler (heap: {sampler: true})",
            ])
    }

    @Test func `a configuration without people is said to page nobody`() {
        var facts = Self.facts
        facts.policies = []
        facts.services[0].policy = nil
        facts.audiences = []
        facts.deadMan = nil
        facts.observeOnly = true
        let plan = IncidentPlan(facts, zone: .utc)
        #expect(plan.gaps.contains("nobody is paged for registrar: name a policy for it"))
        #expect(plan.gaps.contains { $0.hasPrefix("nobody notices when Oakum itself is silent") })
        #expect(plan.gaps.contains { $0.hasPrefix("Oakum may only observe") })
        #expect(plan.markdown.contains("**nobody is paged**"))
        #expect(plan.markdown.contains("Nobody is paged, so nobody can answer."))
    }

    @Test func `policy none is a decision, and no gap`() {
        var facts = Self.facts
        facts.services[1].pagesNobody = true
        let plan = IncidentPlan(facts, zone: .utc)
        #expect(!plan.gaps.contains { $0.hasPrefix("nobody is paged") })
        #expect(plan.markdown.contains("| nobody is paged: `policy: none` |"))
        #expect(!plan.markdown.contains("**nobody is paged**"))
    }

    @Test func `one person or one channel alone is a gap`() {
        var facts = Self.facts
        facts.policies[0].steps = [
            .init(
                afterSeconds: 0,
                targets: [.init(who: "person ada", people: ["ada"], ways: [.init(person: "ada", channel: "pager")])])
        ]
        let gaps = IncidentPlan(facts, zone: .utc).gaps
        #expect(gaps.contains("policy registration knows one person alone, ada: add a second step"))
        #expect(gaps.contains { $0.hasPrefix("policy registration goes through one channel alone") })
    }

    @Test func `a path that ends in a file calls nobody`() {
        var facts = Self.facts
        facts.policies[0].steps = [
            .init(afterSeconds: 0, targets: [.init(who: "channel pages", ways: [.init(channel: "pages")])])
        ]
        facts.channels = [PlannedChannel(name: "pages", words: "the file pages.jsonl", isLocal: true)]
        #expect(
            IncidentPlan(facts, zone: .utc).gaps.contains {
                $0.hasPrefix("policy registration writes to files and terminals alone")
            })
    }

    @Test func `the end of a path counts its repeats`() {
        #expect(Self.facts.policies[0].exhaustedAfterSeconds == 2_700)
    }

    @Test func `its facts survive JSON`() throws {
        let data = try JSONEncoder().encode(Self.facts)
        #expect(try JSONDecoder().decode(PlanFacts.self, from: data) == Self.facts)
        let text = String(decoding: data, as: UTF8.self)
        for key in ["budget_bytes", "capacity_floor", "repeat_after_s", "dead_man", "as_of_ms"] {
            #expect(text.contains("\"\(key)\""))
        }
    }
}
