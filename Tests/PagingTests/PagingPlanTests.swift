// Foundation: JSON, as the state is stored.
import Foundation
import OakumModel
import Paging
import Testing

@Suite
struct PagingPlanTests {
    private let now = utc("2026-01-06 10:00")

    private var plan: PagingPlan {
        PagingPlan(
            people: [
                Person(
                    name: "ada", displayName: "Ada",
                    contacts: [
                        Contact(channel: "mail", address: "ada@example.org"),
                        Contact(channel: "phone", afterSeconds: 120),
                    ]),
                Person(
                    name: "ben", displayName: "Ben", contacts: [Contact(channel: "mail", address: "ben@example.org")]),
                Person(name: "mute", displayName: "Mute"),
            ],
            schedules: [
                Schedule(
                    name: "primary", zone: .utc,
                    rotations: [Rotation(members: ["ada", "ben"], start: civil("2026-01-05 09:00"), turnSeconds: week)])
            ],
            policies: [
                EscalationPolicy(
                    name: "default",
                    steps: [
                        EscalationStep(targets: [.schedule("primary")]),
                        EscalationStep(afterSeconds: 300, targets: [.person("ben"), .channel("chat")]),
                    ], repeats: 2, acknowledgementSeconds: 3_600)
            ], channels: ["mail", "phone", "chat"])
    }

    @Test func `a schedule stands for who is on call, through all contacts with their delays`() {
        let reached = plan.recipients(of: [.schedule("primary")], at: now)
        #expect(reached.unreachable.isEmpty)
        #expect(
            reached.recipients == [
                Recipient(person: "ada", channel: "mail", address: "ada@example.org"),
                Recipient(person: "ada", channel: "phone", afterSeconds: 120),
            ])
    }

    @Test func `nobody is told twice through the same channel and address, and the earliest time counts`() {
        var plan = plan
        plan.people[1].contacts = [
            Contact(channel: "chat", afterSeconds: 60), Contact(channel: "phone", afterSeconds: 30),
        ]
        let reached = plan.recipients(
            of: [.person("ben"), .channel("chat"), .person("ada"), .schedule("primary")], at: now)
        #expect(
            reached.recipients == [
                Recipient(person: "ben", channel: "chat"),
                Recipient(person: "ada", channel: "mail", address: "ada@example.org"),
                Recipient(person: "ben", channel: "phone", afterSeconds: 30),
            ])
    }

    @Test func `who cannot be reached is said, the others are told`() {
        let reached = plan.recipients(
            of: [.person("mute"), .person("zoe"), .schedule("x"), .channel("fax"), .person("ben")], at: now)
        #expect(reached.recipients.map(\.person) == ["ben"])
        #expect(
            reached.unreachable == [
                "mute has no contact", "there is no person zoe", "there is no schedule x", "there is no channel fax",
            ])
        let early = plan.recipients(of: [.schedule("primary")], at: utc("2026-01-01"))
        #expect(early.recipients.isEmpty)
        #expect(early.unreachable == ["nobody is on call in schedule primary"])
    }

    @Test func `two people who share a channel without an address both count as told by it`() {
        var plan = plan
        plan.people[1].contacts = [Contact(channel: "phone")]
        let reached = plan.recipients(of: [.person("ada"), .person("ben")], at: now)
        #expect(reached.recipients.filter { $0.channel == "phone" }.map(\.afterSeconds) == [0])
    }

    @Test func `a sound plan has no problems`() {
        var plan = plan
        plan.people.removeLast()
        #expect(plan.problems(at: now, until: utc("2026-01-13 10:00")) == [])
    }

    @Test func `gaps are told with their time, and with the share that is covered`() throws {
        var plan = plan
        plan.people.removeLast()
        plan.schedules[0].zone = try ZoneVectors.zone("Europe/Vienna")
        plan.schedules[0].rotations[0].windows = [
            WeeklyWindow(
                days: [.monday, .tuesday, .wednesday, .thursday, .friday], fromSecond: 0, untilSecond: 86_400)
        ]
        let problems = plan.problems(at: utc("2026-01-06 23:00"), until: utc("2026-01-13 23:00"))
        #expect(problems.map(\.subject) == ["schedule primary"])
        #expect(
            problems.map(\.words) == [
                "nobody is on call from Sat 2026-01-10 00:00 CET to Mon 2026-01-12 00:00 CET (71.4 % covered)"
            ])
    }

    @Test func `people without contacts, unknown names and empty steps are told`() {
        var plan = plan
        plan.people[1].contacts[0].channel = "pigeon"
        plan.schedules[0].rotations[0].members = ["ada", "zoe"]
        plan.policies[0].steps += [EscalationStep(targets: []), EscalationStep(targets: [.schedule("night")])]
        plan.policies.append(EscalationPolicy(name: "void", steps: []))
        let problems = plan.problems(at: now, until: utc("2026-01-19 09:00"))
        #expect(
            problems.map { "\($0.subject): \($0.words)" } == [
                "person ben: there is no channel pigeon", "person mute: mute has no contact",
                "schedule primary: there is no person zoe",
                "schedule primary: nobody who can be reached is on call from Mon 2026-01-12 09:00 UTC to "
                    + "Mon 2026-01-19 09:00 UTC (45.9 % covered)",
                "policy default: step 3 tells nobody", "policy default: step 4: there is no schedule night",
                "policy void: it has no steps",
            ])
    }

    @Test func `a plan is stored and read again`() throws {
        let data = try JSONEncoder().encode(plan)
        #expect(try JSONDecoder().decode(PagingPlan.self, from: data) == plan)
        let text = String(decoding: data, as: UTF8.self)
        #expect(text.contains("\"schedule primary\""))
    }
}
