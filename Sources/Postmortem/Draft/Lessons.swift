import OakumModel

/// What went well, what went wrong and where luck helped, as far as it follows from what was recorded.
struct Lessons: Sendable {
    private(set) var well: [String] = []
    private(set) var wrong: [String] = []
    private(set) var lucky: [String] = []

    /// Of its budget: beyond it a recycle came at the last moment.
    private static let nearLimit = 0.95

    init(_ reading: IncidentReading) {
        judgeDetection(reading)
        judgeCause(reading)
        judgePages(reading)
        judgeAlerts(reading)
        judgeMitigation(reading)
        judgeImpact(reading)
    }

    private mutating func judgeDetection(_ reading: IncidentReading) {
        guard let lead = reading.milestones.leadSeconds else {
            if reading.isLeak, reading.facts.measured?.isEmpty == false {
                well.append("The leak was found, and nothing that users notice left its limits.")
            }
            return
        }
        if lead > 0 {
            well.append("It was detected \(Amount.duration(lead)) before users noticed.")
        } else {
            wrong.append("Users noticed \(Amount.duration(lead)) before it was detected.")
        }
    }

    private mutating func judgeCause(_ reading: IncidentReading) {
        if let named = reading.milestones.causeNamed {
            let seconds = reading.sinceDetection(named)
            let when = seconds <= 0 ? "with its detection" : "\(Amount.duration(seconds)) after detection"
            if seconds <= 300 {
                well.append("The cause was named \(when).")
            } else {
                wrong.append("The cause was named only \(when).")
            }
        } else {
            wrong.append("The cause was not named.")
        }
        for believed in reading.takenBack ?? [] {
            let lasted = Amount.duration(IncidentReading.seconds(believed.from, believed.until))
            wrong.append("\(Markdown.text(Names.cause(believed.cause))) was told as the cause for \(lasted), wrongly.")
        }
    }

    private mutating func judgePages(_ reading: IncidentReading) {
        if reading.firstPageNamedTheCause == true { well.append("The first page said where the leak is.") }
        if reading.firstPageNamedTheCause == false { wrong.append("The first page did not say where the leak is.") }
        if let paged = reading.milestones.paged {
            let seconds = reading.sinceDetection(paged)
            let words = "The first page was accepted \(Amount.duration(seconds)) after detection."
            if seconds <= 60 { well.append(words) } else { wrong.append(words) }
        } else if !reading.alarms.isEmpty {
            wrong.append("No page was accepted by anybody.")
        } else if reading.incident.severity >= .error, !reading.wasToPageNobody {
            wrong.append("Nobody was paged.")
        }
        if let acknowledged = reading.milestones.acknowledged {
            let seconds = IncidentReading.seconds(reading.milestones.paged ?? reading.milestones.detected, acknowledged)
            let since = reading.milestones.paged == nil ? "detection" : "the first page"
            let words = "A person took it on \(Amount.duration(seconds)) after \(since)."
            if seconds <= 300 { well.append(words) } else { wrong.append(words) }
        } else if reading.incident.severity == .critical, !reading.wasToPageNobody {
            wrong.append("Nobody acknowledged it.")
        }
        let dead = reading.deadPages.count
        if dead > 0 { wrong.append("\(Amount.count(dead, "page")) could not be delivered.") }
        let exhausted = reading.entries(.exhausted).count
        if exhausted > 0 { wrong.append("The escalation path came to its end with nobody left to page.") }
        let escalated = reading.entries(.escalated).count
        if escalated > 0 { wrong.append("It had to be escalated \(Amount.count(escalated, "time")).") }
        let ended = reading.entries(.acknowledgementEnded).count
        if ended > 0 {
            wrong.append("An acknowledgement ended \(Amount.count(ended, "time")) before it was mitigated.")
        }
        if let first = reading.alarms.first, first.state == .delivered, first.attempts > 1 {
            lucky.append("The first page got through at attempt \(first.attempts).")
        }
    }

    private mutating func judgeAlerts(_ reading: IncidentReading) {
        let symptoms = reading.symptoms.count
        if symptoms > 0 {
            well.append(
                "\(Amount.count(symptoms, "alert")) of symptoms paged nobody: the cause held them back.")
        }
        if reading.incident.reopened > 0 {
            wrong.append("It came back \(Amount.count(reading.incident.reopened, "time")) after it had been closed.")
        }
    }

    private mutating func judgeMitigation(_ reading: IncidentReading) {
        if let recycles = reading.recycles {
            if recycles.finished > 0 {
                well.append("Oakum replaced \(Amount.count(recycles.finished, "worker")) by itself.")
            }
            if recycles.failed > 0 { wrong.append("\(Amount.count(recycles.failed, "recycle")) failed.") }
            if recycles.withheld > 0 {
                let verb = recycles.withheld == 1 ? "was" : "were"
                wrong.append("\(Amount.count(recycles.withheld, "recycle")) would have helped and \(verb) not allowed.")
            }
        }
        if let crashes = reading.crashes, crashes > 0 {
            wrong.append("\(Amount.count(crashes, "worker process", "worker processes")) died.")
        }
        guard let share = reading.peakShare, share >= Self.nearLimit else { return }
        let words = "Memory reached \(Amount.share(share)) of the budget"
        if reading.milestones.impactOnset == nil {
            lucky.append("\(words), and users are not known to have noticed.")
        } else {
            wrong.append("\(words).")
        }
    }

    private mutating func judgeImpact(_ reading: IncidentReading) {
        if let seconds = reading.impactSeconds { wrong.append("Users were affected for \(Amount.duration(seconds)).") }
        if reading.isImpactUnmeasured {
            wrong.append("What users noticed was not measured.")
        } else if !reading.incident.impact.isEmpty {
            well.append("The impact was counted while it happened, not estimated afterwards.")
        }
    }
}

extension DraftWriter {
    var lessons: String {
        let lessons = Lessons(reading)
        return paragraphs([
            "What follows from the record; people add theirs below.",
            part("Went well", lessons.well, otherwise: "Nothing that was recorded."),
            part("Went wrong", lessons.wrong, otherwise: "Nothing that was recorded."),
            part("Got lucky", lessons.lucky, otherwise: "Nothing that was recorded looks like luck."),
        ])
    }

    private func part(_ title: String, _ items: [String], otherwise: String) -> String {
        "### \(title)\n\n" + (items.isEmpty ? otherwise : Markdown.list(items))
    }
}
