/// A generated document whose sections can be made anew without losing what people wrote.
package struct PostmortemDocument: Hashable, Sendable {
    /// A section, and the room after it that is people's from the first moment.
    package struct Section: Hashable, Sendable {
        /// Stable over versions: a–z, 0–9 and -, at most 40 characters.
        package var id: String
        /// Markdown without markers.
        package var text: String
        /// Written once, when the section is added; never touched again. Nil: none.
        package var room: String?

        package init(id: String, text: String, room: String? = nil) {
            self.id = id
            self.text = text
            self.room = room
        }
    }

    /// Which incident it is about, in a form that tells it from the same number elsewhere.
    package var subject: String
    /// Remarks for who opens the file in an editor; one line. Written once.
    package var remark: String
    package var sections: [Section]

    package init(subject: String, remark: String, sections: [Section]) {
        self.subject = subject
        self.remark = remark
        self.sections = sections
    }

    /// The document as a new file.
    package var text: String {
        var result = SubjectMarker.line(subject) + "\n<!-- \(remark) -->\n\n"
        for section in sections { result += Self.rendered(section, withRoom: true) }
        return result
    }

    /// The body between the markers: blank lines keep Markdown apart from the comments.
    static func body(_ section: Section) -> String { "\n\(section.text)\n\n" }

    static func marked(_ section: Section) -> String {
        let body = body(section)
        let begin = SectionMarker.begin(id: section.id, hash: SectionMarker.hash(body.utf8)).line
        return "\(begin)\n\(body)\(SectionMarker.end(id: section.id).line)\n"
    }

    static func rendered(_ section: Section, withRoom: Bool) -> String {
        let room = withRoom ? section.room.map { "\n\($0)\n" } ?? "" : ""
        return marked(section) + room + "\n"
    }
}

/// What became of one section when a document was made anew. Raw values are shown: added to, never renamed.
package enum SectionOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// It was missing.
    case added
    /// Nobody had edited it, and there was something new to say.
    case renewed
    /// Nobody had edited it, and it says what is known.
    case current
    /// A person edited it: left alone.
    case edited
    /// One of the comments around it is gone: left alone.
    case damaged
    /// It is there more than once: left alone.
    case doubled
    /// The draft has no such section (any more): left alone.
    case unknown

    /// Why, for people.
    package var words: String {
        switch self {
        case .added: "it was missing"
        case .renewed: "there was something new to say"
        case .current: "nothing new"
        case .edited: "somebody edited it"
        case .damaged: "one of the comments around it is gone"
        case .doubled: "it is there more than once"
        case .unknown: "this draft has no such section"
        }
    }

    package var isLeftAlone: Bool {
        switch self {
        case .added, .renewed, .current: false
        case .edited, .damaged, .doubled, .unknown: true
        }
    }
}

/// A document that was made anew.
package struct MergedDocument: Hashable, Sendable {
    package struct Fate: Hashable, Sendable, Codable {
        package var section: String
        package var outcome: SectionOutcome

        package init(section: String, outcome: SectionOutcome) {
            self.section = section
            self.outcome = outcome
        }
    }

    package var text: String
    /// In the order of the draft, then what only the file has.
    package var fates: [Fate]

    package var leftAlone: [Fate] { fates.filter(\.outcome.isLeftAlone) }
}

/// Why a file is not touched.
package enum MergeRefusal: Error, Hashable, Sendable {
    /// It holds no section of a draft: somebody else's file.
    case notADraft
    /// It is about another incident.
    case otherIncident(String)
}
