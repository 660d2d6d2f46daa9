import OakumModel
import OakumTestKit
import Testing

@testable import Postmortem

/// However people edit a draft, what they wrote survives its renewal.
@Suite struct MergePropertyTests {
    private static let first = PostmortemDraft(RegistrationIncident.facts, fileStem: "a").document

    /// The same incident, later: most sections have something new to say.
    private static let second: PostmortemDocument = {
        var facts = RegistrationIncident.facts
        facts.incident.title = "registrar: another title"
        facts.incident.milestones.acknowledged = nil
        facts.incident.impact = []
        facts.incident.evidence.cause = nil
        facts.timeline.removeLast(3)
        facts.pages = []
        facts.events = nil
        facts.memory = nil
        facts.owner = nil
        return PostmortemDraft(facts, fileStem: "a").document
    }()

    @Test func `what people add survives wherever they add it`() async throws {
        try await forAll(seeds: 120) { random in
            var text = Array(Self.first.text.unicodeScalars)
            let words = (0..<random.int(1...6)).map { "«word-\($0)-\(random.int(0...9_999))»" }
            for word in words {
                let place = random.int(0...text.count)
                let shape = random.pick([word, "\(word)\n", "\n\(word)\n", "\r\n\(word) | `"]) ?? word
                // Not within a word that was added before.
                let near = String(String.UnicodeScalarView(text[max(0, place - 20)..<min(text.count, place + 20)]))
                guard !near.contains("«"), !near.contains("»") else { continue }
                text.insert(contentsOf: Array(shape.unicodeScalars), at: place)
            }
            let edited = String(String.UnicodeScalarView(text))
            let kept = words.filter { edited.contains($0) }
            // Who changes the first line's subject says that it is about something else.
            guard edited.hasPrefix(Self.first.text.prefix(45)) || DocumentParts(edited).subject == nil else { return }
            let merged = try Self.second.merged(into: edited)
            for word in kept { #expect(merged.text.contains(word), "\(word)") }
            let again = try Self.second.merged(into: merged.text)
            #expect(again.text == merged.text)
            #expect(again.fates.allSatisfy { ![.added, .renewed].contains($0.outcome) })
        }
    }

    @Test func `what people take out of a section stays out, and the rest of it stays`() async throws {
        try await forAll(seeds: 120) { random in
            var lines = Self.first.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let inner = lines.indices.filter { lines[$0].count > 3 && !lines[$0].hasPrefix("<!--") }
            let picked = random.pick(inner)
            let gone = try #require(picked)
            let section = lines[..<gone].last { $0.hasPrefix("<!-- oakum:") }
            lines.remove(at: gone)
            let edited = lines.joined(separator: "\n")
            let merged = try Self.second.merged(into: edited)
            if let begin = section.flatMap({ SectionMarker(line: $0.utf8) }), case .begin(let id, _) = begin {
                #expect(merged.leftAlone.contains { $0.section == id && $0.outcome == .edited })
            }
            #expect(try Self.second.merged(into: merged.text).text == merged.text)
        }
    }

    @Test func `any file is taken or refused, and taken twice it is the same`() async throws {
        let original = Array(Self.first.text.utf8)
        try await forAll(seeds: 120) { random in
            let damaged = String(decoding: random.damaged(original), as: UTF8.self)
            do throws(MergeRefusal) {
                let merged = try Self.second.merged(into: damaged)
                #expect(try Self.second.merged(into: merged.text).text == merged.text)
            } catch {
                // The line that says which incident it is about was hit.
                let firstLine = Self.first.text.prefix { $0 != "\n" }
                #expect(!damaged.hasPrefix(firstLine + "\n"), "\(error)")
            }
        }
    }

    @Test func `parts put together again are the very bytes`() async throws {
        try await forAll(seeds: 120) { random in
            let text = String(decoding: random.damaged(Array(Self.first.text.utf8)), as: UTF8.self)
            let parts = DocumentParts(text).parts.flatMap { part in
                switch part {
                case .text(let bytes): bytes
                case .section(let section): section.whole
                }
            }
            #expect(parts == Array(text.utf8))
        }
    }
}
