/// A document as people left it, cut at its sections. Put together again, the parts are the very bytes.
struct DocumentParts: Sendable {
    struct Section: Sendable {
        var id: String
        /// As its marker says it was generated.
        var hash: String
        /// The lines between the markers.
        var body: [UInt8]
        /// All of it, with the markers, as it stands.
        var whole: [UInt8]

        var isUntouched: Bool { SectionMarker.hash(body) == hash }
        var endsLinesWithReturn: Bool { whole.split(separator: 0x0A).first?.last == 0x0D }
    }

    enum Part: Sendable {
        case text([UInt8])
        case section(Section)
    }

    private(set) var parts: [Part] = []
    /// Sections with one of their two markers gone: theirs is text of people now.
    private(set) var damaged: Set<String> = []
    /// Which incident the document is about; nil when its first line was removed.
    private(set) var subject: String?

    init(_ text: String) {
        let lines = Self.lines(of: Array(text.utf8))
        let markers = lines.map { SectionMarker(line: $0.last == 0x0A ? $0.dropLast() : $0) }
        var text: [UInt8] = []
        var index = 0
        while index < lines.count {
            if subject == nil { subject = SubjectMarker.subject(in: lines[index]) }
            guard case .begin(let id, let hash) = markers[index] else {
                if let stray = markers[index] { damaged.insert(stray.id) }
                text += lines[index]
                index += 1
                continue
            }
            let next = markers[(index + 1)...].firstIndex { $0 != nil }
            guard let end = next, markers[end] == .end(id: id) else {
                damaged.insert(id)
                text += lines[index]
                index += 1
                continue
            }
            if !text.isEmpty { parts.append(.text(text)) }
            text = []
            parts.append(
                .section(
                    Section(
                        id: id, hash: hash, body: Array(lines[(index + 1)..<end].joined()),
                        whole: Array(lines[index...end].joined()))))
            index = end + 1
        }
        if !text.isEmpty { parts.append(.text(text)) }
    }

    var sections: [Section] {
        parts.compactMap { part in
            if case .section(let section) = part { section } else { nil }
        }
    }

    /// With their line feeds.
    private static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var result: [ArraySlice<UInt8>] = []
        var start = 0
        for (position, byte) in bytes.enumerated() where byte == 0x0A {
            result.append(bytes[start...position])
            start = position + 1
        }
        if start < bytes.count { result.append(bytes[start...]) }
        return result
    }
}

/// The first line of a document: which incident it is about, so that the draft of another is never mixed into it.
enum SubjectMarker {
    private static let prefix = "<!-- oakum:postmortem "
    private static let suffix = " -->"

    static func line(_ subject: String) -> String { prefix + subject + suffix }

    static func subject(in line: some Sequence<UInt8>) -> String? {
        var bytes = Array(line)
        while let last = bytes.last, last == 0x20 || last == 0x0D || last == 0x0A { bytes.removeLast() }
        guard bytes.starts(with: prefix.utf8), bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8),
            bytes.count > prefix.utf8.count + suffix.utf8.count
        else { return nil }
        return String(decoding: bytes[prefix.utf8.count..<(bytes.count - suffix.utf8.count)], as: UTF8.self)
    }
}
