/// Why a page is sent. Raw values are stored and sent: added to, never renamed.
package enum PageKind: String, Hashable, Sendable, Codable, CaseIterable {
    case opened
    /// The next step of the policy.
    case escalated
    /// It got worse, or more is known.
    case updated
    case acknowledged
    case mitigated
    case resolved
    case reopened
    /// To the business audience, in plain words.
    case stakeholders
    /// `oakum on-call check`.
    case test
}

/// A message to a human, complete: what is stored is what is sent, however often it has to be tried.
package struct Page: Hashable, Sendable, Codable, Identifiable {
    /// Stable over all attempts; receivers may know a page again by it. 1 to 64 letters, digits, `_` and `-`.
    package var id: String
    package var kind: PageKind
    package var incident: Int64?
    /// Name of the channel in the configuration.
    package var channel: String
    /// Who is meant within the channel (a mail address, a topic), when the channel needs one.
    package var address: String?
    /// Name of the person; nil: a channel that many read.
    package var person: String?
    package var severity: Severity
    /// One line, at most 200 characters.
    package var title: String
    /// Plain sentences, the most important first.
    package var lines: [String]
    package var facts: [PageFact]
    package var links: [PageLink]
    /// The same for all pages of one incident: mail threads, dedup keys of receivers.
    package var thread: String
    /// No other page of the thread came before it.
    package var beginsThread: Bool
    package var at: WallTime

    package init(
        id: String, kind: PageKind, incident: Int64? = nil, channel: String, address: String? = nil,
        person: String? = nil, severity: Severity, title: String, lines: [String] = [], facts: [PageFact] = [],
        links: [PageLink] = [], thread: String, beginsThread: Bool = false, at: WallTime
    ) {
        self.id = id
        self.kind = kind
        self.incident = incident
        self.channel = channel
        self.address = address
        self.person = person
        self.severity = severity
        self.title = title
        self.lines = lines
        self.facts = facts
        self.links = links
        self.thread = thread
        self.beginsThread = beginsThread
        self.at = at
    }

    private enum CodingKeys: String, CodingKey {
        case id, kind, incident, channel, address, person, severity, title, lines, facts, links, thread
        case beginsThread = "begins_thread"
        case at = "at_ms"
    }
}

/// A name and a value: "time to limit", "38 to 52 s".
package struct PageFact: Hashable, Sendable, Codable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What can be done or seen: "Acknowledge", with its address.
package struct PageLink: Hashable, Sendable, Codable {
    package enum Action: String, Hashable, Sendable, Codable {
        case show
        case acknowledge
        case resolve
        case runbook
    }

    package var action: Action
    package var title: String
    package var url: String

    package init(action: Action, title: String, url: String) {
        self.action = action
        self.title = title
        self.url = url
    }
}

/// What became of a page.
package struct PageOutcome: Hashable, Sendable, Codable {
    package enum Result: String, Hashable, Sendable, Codable {
        /// The receiver said that it has it.
        case delivered
        /// Given up: refused for good, or tried for too long.
        case dead
        /// Taken back before it was sent: nobody needs it any more.
        case withdrawn
    }

    package var page: String
    package var result: Result
    package var attempts: Int
    package var at: WallTime
    /// The receiver's receipt, or why it failed; never a secret.
    package var words: String

    package init(page: String, result: Result, attempts: Int, at: WallTime, words: String) {
        self.page = page
        self.result = result
        self.attempts = attempts
        self.at = at
        self.words = words
    }

    private enum CodingKeys: String, CodingKey {
        case page, result, attempts, words
        case at = "at_ms"
    }
}
