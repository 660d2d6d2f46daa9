import Paging
import StrictYAML

extension ResponseReader {
    mutating func schedules(_ value: YAMLValue) throws(YAMLProblem) -> [Schedule] {
        var schedules: [Schedule] = []
        for entry in try value.list(atMost: 100) {
            let mapping = try entry.mapping(
                ["name", "time_zone", "rotation", "rotations", "overrides"], as: "a schedule")
            let name = try name(mapping, of: "schedule", taken: schedules.map(\.name))
            let zone = try zones.rules(
                try mapping.require("time_zone", hint: "whose clock the handovers follow, such as Europe/Vienna"))
            var schedule = Schedule(name: name, zone: zone, rotations: [])
            guard let rotations = mapping["rotation"] ?? mapping["rotations"],
                mapping["rotation"] == nil || mapping["rotations"] == nil
            else {
                throw entry.problem(
                    "a schedule needs `rotation`, or a list `rotations`", hint: "rotation: \(Self.rotationExample)")
            }
            for rotation in try rotations.oneOrMore(atMost: 20) {
                schedule.rotations.append(try self.rotation(rotation))
            }
            for change in try mapping["overrides"]?.list(atMost: 200) ?? [] {
                schedule.overrides.append(try override(change))
            }
            schedules.append(schedule)
        }
        return schedules
    }

    private static let rotationExample =
        "{every: 1w, start: 2026-01-05, handover: \"Mon 09:00\", members: [ada, ben]}"

    private func rotation(_ value: YAMLValue) throws(YAMLProblem) -> Rotation {
        let mapping = try value.mapping(["every", "start", "handover", "members", "hours"], as: "a rotation")
        let every = try mapping.require("every", hint: "the length of a turn, such as 12h, 1d or 1w")
        let length = try every.seconds(in: 3_600...31_449_600)
        guard length.truncatingRemainder(dividingBy: 3_600) == 0 else {
            throw every.problem("a turn lasts whole hours, days or weeks", hint: "such as 12h, 1d or 1w")
        }
        var members: [String] = []
        let list = try mapping.require("members", hint: "names of `people`, in the order of their turns")
        for member in try list.list(atMost: 100) { members.append(try knownPerson(member)) }
        guard !members.isEmpty else { throw list.problem("`members` is empty") }
        let start = try start(mapping, turn: Int64(length))
        var rotation = Rotation(members: members, start: start, turnSeconds: Int64(length))
        for window in try mapping["hours"]?.oneOrMore(atMost: 50) ?? [] {
            rotation.windows.append(try self.window(window))
        }
        return rotation
    }

    func knownPerson(_ value: YAMLValue) throws(YAMLProblem) -> String {
        try known(value, "person", among: settings.plan.people.map(\.name))
    }

    // MARK: - Start and handover

    /// `start` is a day or a time, `handover` a time of day with or without the weekday; together they must agree.
    private func start(_ mapping: YAMLMapping, turn: Int64) throws(YAMLProblem) -> CivilTime {
        let value = try mapping.require("start", hint: "when the first member's first turn begins, such as 2026-01-05")
        let start = try time(value)
        let hasTime = try value.string().utf8.count > 10
        guard let place = mapping["handover"] else {
            guard hasTime else {
                throw value.problem(
                    "at what time of the day?", hint: "`handover: \"09:00\"`, or `start: 2026-01-05 09:00`")
            }
            return start
        }
        let (weekday, second) = try handover(place)
        if let weekday {
            guard turn % (7 * 86_400) == 0 else {
                throw place.problem("only turns of whole weeks have a weekday", hint: "`handover: \"09:00\"`")
            }
            guard start.weekday == weekday else {
                throw value.problem(
                    "\(start.description.prefix(10)) is a \(start.weekday.rawValue), and the handover is on \(weekday.rawValue)",
                    hint: "start on a \(weekday.rawValue)")
            }
        }
        guard !hasTime || start.secondOfDay == second else {
            throw value.problem("`start` and `handover` give different times of the day", hint: "leave one of them out")
        }
        return CivilTime(seconds: start.day.number * 86_400 + second)
    }

    private func handover(_ value: YAMLValue) throws(YAMLProblem) -> (Weekday?, Int64) {
        let words = try value.string().split(separator: " ")
        let hint = "such as \"09:00\" or \"Mon 09:00\""
        guard (1...2).contains(words.count), let time = words.last else {
            throw value.problem("`handover` must be a time of the day", hint: hint)
        }
        let second = try secondOfDay(String(time), value, hint: hint)
        guard words.count == 2 else { return (nil, second) }
        return (try weekday(String(words[0]), value), second)
    }

    private func time(_ value: YAMLValue) throws(YAMLProblem) -> CivilTime {
        let text = try value.string()
        guard let time = CivilTime(text) else {
            throw value.problem(
                "`\(text)` is not a date, or not one that exists", hint: "such as 2026-12-24 or \"2026-12-24 09:00\"")
        }
        return time
    }

    /// 0 to 86,400: "24:00" is the end of the day.
    private func secondOfDay(_ text: String, _ value: YAMLValue, hint: String) throws(YAMLProblem) -> Int64 {
        if text == "24:00" { return 86_400 }
        guard let time = CivilTime("1970-01-01 " + text) else {
            throw value.problem("`\(text)` is not a time of the day", hint: hint)
        }
        return time.seconds
    }

    private func weekday(_ text: String, _ value: YAMLValue) throws(YAMLProblem) -> Weekday {
        guard let day = Weekday(rawValue: text) else {
            throw value.problem(
                "`\(text)` is not a weekday", hint: Weekday.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return day
    }

    // MARK: - Hours and overrides

    private func window(_ value: YAMLValue) throws(YAMLProblem) -> WeeklyWindow {
        let hint = "such as {days: Mon-Fri, from: \"09:00\", to: \"17:00\"}"
        let mapping = try value.mapping(["days", "from", "to"], as: "an entry of `hours`")
        let from = try mapping.require("from", hint: hint)
        let to = try mapping.require("to", hint: hint)
        let first = try secondOfDay(try from.string(), from, hint: hint)
        let last = try secondOfDay(try to.string(), to, hint: hint)
        guard first < 86_400 else { throw from.problem("a day begins at 00:00, not at 24:00") }
        guard last > 0 else { throw to.problem("the end of a day is 24:00", hint: "to: \"24:00\"") }
        var days = Weekday.allCases
        if let value = mapping["days"] { days = try self.days(value) }
        return WeeklyWindow(days: days, fromSecond: first, untilSecond: last)
    }

    /// "Mon-Fri", "Sat", or a list of such.
    private func days(_ value: YAMLValue) throws(YAMLProblem) -> [Weekday] {
        var chosen: Set<Weekday> = []
        for entry in try value.oneOrMore(atMost: 20) {
            let ends = try entry.string().split(separator: "-", omittingEmptySubsequences: false).map(String.init)
            guard (1...2).contains(ends.count), let first = ends.first, let last = ends.last else {
                throw entry.problem("`days` takes weekdays", hint: "such as Mon-Fri or [Sat, Sun]")
            }
            var day = try weekday(first, entry)
            let end = try weekday(last, entry)
            chosen.insert(day)
            while day != end {
                day = day.next
                chosen.insert(day)
            }
        }
        return Weekday.allCases.filter(chosen.contains)
    }

    private func override(_ value: YAMLValue) throws(YAMLProblem) -> ScheduleOverride {
        let mapping = try value.mapping(["person", "from", "to", "instead_of", "add"], as: "an override")
        let hint = "such as {person: ben, from: \"2026-12-24 00:00\", to: \"2026-12-26 00:00\"}"
        let end = try mapping.require("to", hint: hint)
        var result = ScheduleOverride(
            person: try knownPerson(try mapping.require("person", hint: hint)),
            from: try time(try mapping.require("from", hint: hint)), until: try time(end))
        guard result.from < result.until else { throw end.problem("an override ends after it begins", hint: hint) }
        if let person = mapping["instead_of"] { result.effect = .replacing(try knownPerson(person)) }
        if try mapping["add"]?.bool() ?? false {
            guard mapping["instead_of"] == nil else {
                throw value.problem("an override adds a person, or is instead of one", hint: "leave one of them out")
            }
            result.effect = .add
        }
        return result
    }
}

extension Weekday {
    fileprivate var next: Weekday {
        let all = Weekday.allCases
        return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
    }
}
