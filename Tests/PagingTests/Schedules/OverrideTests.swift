import OakumModel
import Paging
import Testing

@Suite
struct OverrideTests {
    private func schedule(_ overrides: [ScheduleOverride]) -> Schedule {
        Schedule(
            name: "primary", zone: .utc,
            rotations: [
                Rotation(members: ["ada", "ben"], start: civil("2026-01-05 09:00"), turnSeconds: week)
            ], overrides: overrides)
    }

    private func override(
        _ person: String, _ from: String, _ until: String, _ effect: ScheduleOverride.Effect = .replace
    ) -> ScheduleOverride {
        ScheduleOverride(person: person, from: civil(from), until: civil(until), effect: effect)
    }

    @Test func `an override replaces whoever is on call, from its first instant to before its last`() {
        let schedule = schedule([override("cleo", "2026-01-06 00:00", "2026-01-07 00:00")])
        let shifts = schedule.shifts(from: utc("2026-01-05 12:00"), until: utc("2026-01-08 00:00"))
        #expect(
            shifts.map { $0.words } == [
                "ada until 2026-01-06 00:00", "cleo until 2026-01-07 00:00", "ada until 2026-01-08 00:00",
            ])
    }

    @Test func `a replacement for one person leaves the others' turns alone`() {
        let schedule = schedule([override("cleo", "2026-01-10 00:00", "2026-01-14 00:00", .replacing("ada"))])
        let shifts = schedule.shifts(from: utc("2026-01-09 00:00"), until: utc("2026-01-15 00:00"))
        #expect(
            shifts.map { $0.words } == [
                "ada until 2026-01-10 00:00", "cleo until 2026-01-12 09:00", "ben until 2026-01-15 00:00",
            ])
    }

    @Test func `an added person is on call beside the one whose turn it is, once`() {
        let schedule = schedule([
            override("cleo", "2026-01-06 00:00", "2026-01-08 00:00", .add),
            override("ada", "2026-01-06 00:00", "2026-01-08 00:00", .add),
        ])
        #expect(schedule.onCall(at: utc("2026-01-07 00:00")) == ["ada", "cleo"])
    }

    @Test func `an override fills a gap`() {
        let schedule = schedule([override("cleo", "2026-01-01 00:00", "2026-01-03 00:00")])
        #expect(schedule.onCall(at: utc("2026-01-02 00:00")) == ["cleo"])
        #expect(schedule.onCall(at: utc("2026-01-04 00:00")) == [])
    }

    @Test
    func `of two that replace at the same time the last one in the list counts, and that is a problem to be told`() {
        let overrides = [
            override("cleo", "2026-01-06 00:00", "2026-01-08 00:00"),
            override("dora", "2026-01-07 00:00", "2026-01-09 00:00"),
        ]
        let schedule = schedule(overrides)
        let shifts = schedule.shifts(from: utc("2026-01-06 00:00"), until: utc("2026-01-10 00:00"))
        #expect(
            shifts.map { $0.words } == [
                "cleo until 2026-01-07 00:00", "dora until 2026-01-09 00:00", "ada until 2026-01-10 00:00",
            ])
        let plan = PagingPlan(
            people: ["ada", "ben", "cleo", "dora"].map {
                Person(name: $0, displayName: $0, contacts: [Contact(channel: "mail")])
            }, schedules: [schedule], channels: ["mail"])
        let problems = plan.problems(at: utc("2026-01-06 00:00"), until: utc("2026-01-13 00:00"))
        #expect(problems.map(\.kind) == [.overrideConflict])
        #expect(
            problems.first?.words
                == "both cleo and dora replace from 2026-01-07 00:00 to 2026-01-08 00:00: dora does, who is named last")
    }

    @Test func `an override whose end is not after its beginning does nothing`() {
        let schedule = schedule([override("cleo", "2026-01-08 00:00", "2026-01-07 00:00")])
        #expect(schedule.onCall(at: utc("2026-01-07 12:00")) == ["ada"])
    }

    @Test func `the rotation named last that has somebody on call counts`() {
        var schedule = schedule([])
        schedule.rotations.append(
            Rotation(
                members: ["olga"], start: civil("2026-01-01"), turnSeconds: week,
                windows: [WeeklyWindow(days: [.tuesday], fromSecond: 9 * hour, untilSecond: 17 * hour)]))
        #expect(schedule.onCall(at: utc("2026-01-06 10:00")) == ["olga"])
        #expect(schedule.onCall(at: utc("2026-01-06 18:00")) == ["ada"])
    }

    @Test func `the end of a shift and who comes next are told`() {
        let (now, next) = schedule([]).shift(at: utc("2026-01-06 10:00"))
        #expect(now == Shift(people: ["ada"], from: utc("2026-01-06 10:00"), until: utc("2026-01-12 09:00")))
        #expect(next == ["ben"])
        var alone = schedule([])
        alone.rotations[0].members = ["ada"]
        #expect(alone.shift(at: utc("2026-01-06 10:00")).now.until == nil)
    }
}
