extension PostmortemDocument {
    /// The existing document with those sections made anew that nobody has edited, and with those that are missing.
    ///
    /// All other bytes stay as they are and where they are. Who wants a section gone for good empties it and leaves its two
    /// comments. Doing it again changes nothing. Linear in the size of the file.
    package func merged(into existing: String) throws(MergeRefusal) -> MergedDocument {
        let parts = DocumentParts(existing)
        if let other = parts.subject, other != subject { throw .otherIncident(other) }
        guard parts.subject != nil || !parts.sections.isEmpty || existing.isEmpty else { throw .notADraft }
        guard !existing.isEmpty else {
            return MergedDocument(text: text, fates: sections.map { .init(section: $0.id, outcome: .added) })
        }
        let counts = Dictionary(parts.sections.map { ($0.id, 1) }, uniquingKeysWith: +)
        let drafted = Dictionary(sections.map { ($0.id, $0) }) { first, _ in first }
        var outcomes: [String: SectionOutcome] = [:]
        var replaced: [String: [UInt8]] = [:]
        for section in parts.sections {
            let outcome = outcome(of: section, drafted: drafted[section.id], count: counts[section.id] ?? 1)
            outcomes[section.id] = outcome
            if outcome == .renewed, let new = drafted[section.id] {
                replaced[section.id] = Self.bytes(Self.marked(new), withReturns: section.endsLinesWithReturn)
            }
        }
        for id in parts.damaged where outcomes[id] == nil || outcomes[id]?.isLeftAlone == false {
            outcomes[id] = .damaged
            replaced[id] = nil
        }
        let additions = additions(to: parts, present: outcomes)
        for id in additions.values.joined().map(\.id) { outcomes[id] = .added }
        let order = sections.map(\.id) + outcomes.keys.filter { drafted[$0] == nil }.sorted()
        return MergedDocument(
            text: assembled(parts, replaced: replaced, additions: additions),
            fates: order.compactMap { id in outcomes[id].map { .init(section: id, outcome: $0) } })
    }

    private func outcome(of section: DocumentParts.Section, drafted: Section?, count: Int) -> SectionOutcome {
        guard let drafted else { return .unknown }
        // Whoever copied a section meant something by it.
        guard count == 1 else { return .doubled }
        guard section.isUntouched else { return .edited }
        return section.hash == SectionMarker.hash(Self.body(drafted).utf8) ? .current : .renewed
    }

    /// What is missing, by the section it comes before; at the end where none follows.
    private func additions(to parts: DocumentParts, present: [String: SectionOutcome]) -> [String: [Section]] {
        let places = Set(parts.sections.map(\.id))
        var result: [String: [Section]] = [:]
        for (index, section) in sections.enumerated() where present[section.id] == nil {
            let follower = sections[index...].first { places.contains($0.id) }?.id ?? Self.atTheEnd
            result[follower, default: []].append(section)
        }
        return result
    }

    /// No section can be called so.
    private static let atTheEnd = ""

    private func assembled(
        _ parts: DocumentParts, replaced: [String: [UInt8]], additions: [String: [Section]]
    ) -> String {
        var additions = additions
        let withReturns = parts.sections.first?.endsLinesWithReturn ?? false
        var result: [UInt8] = []
        for part in parts.parts {
            switch part {
            case .text(let bytes): result += bytes
            case .section(let section):
                for missing in additions.removeValue(forKey: section.id) ?? [] {
                    result += Self.bytes(Self.rendered(missing, withRoom: true), withReturns: withReturns)
                }
                result += replaced[section.id] ?? section.whole
            }
        }
        let last = additions[Self.atTheEnd] ?? []
        if !last.isEmpty, let end = result.last, end != 0x0A { result.append(0x0A) }
        for missing in last { result += Self.bytes(Self.rendered(missing, withRoom: true), withReturns: withReturns) }
        return String(decoding: result, as: UTF8.self)
    }

    private static func bytes(_ text: String, withReturns: Bool) -> [UInt8] {
        guard withReturns else { return Array(text.utf8) }
        return text.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
    }
}
