import OakumAPI
import OakumModel

/// The newest events, newest first.
struct EventList {
    /// In rising order of their number.
    var events: [EventRecord]
    var now: Moment

    var markup: Markup {
        """
        <aside class="events" aria-labelledby="events-title">
        <header><h2 id="events-title">Events</h2><p class="zone" id="zone">times in UTC</p></header>
        <p class="empty" id="no-events"\(ConsolePage.hidden(!events.isEmpty))>Nothing has happened yet.</p>
        <div role="log" aria-label="Events, newest first"><ol id="events">\(events.reversed().map(item))</ol></div>
        </aside>
        """
    }

    private func item(_ record: EventRecord) -> Markup {
        let event = record.event
        return Self.item(
            id: "\(record.id)", kind: event.kind, milliseconds: event.at.wall.milliseconds,
            iso: CivilTime(event.at.wall).isoText, time: time(event.at.wall), message: event.message,
            leaks: ChainSteps.of(event.heap ?? [], heap: Self.heap(of: event)))
    }

    /// The time of day, with the date when it is another day.
    private func time(_ at: WallTime) -> String {
        let civil = CivilTime(at)
        return civil.dateText == CivilTime(now.wall).dateText
            ? civil.clockText : "\(civil.dateText) \(civil.clockText)"
    }

    private static func item(
        id: String, kind: EventKind, milliseconds: Int64, iso: String, time: String, message: String,
        leaks: [Markup] = []
    ) -> Markup {
        """
        <li data-event="\(id)" data-kind="\(kind.rawValue)" data-tone="\(tone(kind))">\
        <p class="event-head"><span class="event-kind">\(Shown.event(kind))</span>\
        <time datetime="\(iso)" data-at="\(milliseconds)">\(time)</time></p>\
        <p class="event-text">\(Shown.glued(message))</p>\
        <div class="leaks" data-field="leaks">\(leaks)</div></li>
        """
    }

    private static func heap(of event: Event) -> HeapQuery? {
        guard let service = event.service, let worker = event.worker else { return nil }
        return HeapQuery(service: service, worker: worker)
    }

    static func tone(_ kind: EventKind) -> String {
        switch kind {
        case .workerFailed, .recycleFailed, .problem: "bad"
        case .leakNamed, .leakNotNamed, .diagnosed, .symptom, .verdict, .recycleWithheld, .workerExited, .paused: "warn"
        case .recycleStarted, .recycleFinished, .slopeAfterwards, .deploy, .release: "act"
        case .workerReady, .resumed, .symptomOver: "good"
        case .watchStarted, .watchStopped, .workerStarted, .command: "plain"
        }
    }

    static let template: Markup = {
        let blank = item(id: "", kind: .command, milliseconds: 0, iso: "", time: "", message: "")
        // Names and tones by kind, so that script and server agree.
        let kinds: [Markup] = EventKind.allCases.map { kind in
            "<li data-kind=\"\(kind.rawValue)\" data-tone=\"\(tone(kind))\">\(Shown.event(kind))</li>"
        }
        let verdicts: [Markup] = VerdictCode.allCases.map { code in
            "<li data-verdict=\"\(code.rawValue)\">\(Shown.verdict(code))</li>"
        }
        return """
            <template id="event-template">\(blank)</template>
            <template id="words"><ul id="kinds">\(kinds)</ul><ul id="verdicts">\(verdicts)</ul></template>
            """
    }()
}
