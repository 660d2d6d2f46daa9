import OakumModel
import OakumTestKit
import Testing

@testable import Postmortem

/// A document is made anew around what people wrote.
@Suite struct MergeTests {
    private func draft(_ version: String, ids: [String] = ["title", "impact", "lessons", "end"]) -> PostmortemDocument {
        PostmortemDocument(
            subject: "12 abc", remark: "edit me",
            sections: ids.map {
                .init(id: $0, text: "## \($0)\n\n\(version) of \($0)", room: $0 == "lessons" ? "_yours:_" : nil)
            })
    }

    private func outcome(_ merged: MergedDocument, _ id: String) -> SectionOutcome? {
        merged.fates.first { $0.section == id }?.outcome
    }

    @Test func `nothing new changes nothing`() throws {
        let text = draft("first").text
        let merged = try draft("first").merged(into: text)
        #expect(merged.text == text)
        #expect(merged.fates.allSatisfy { $0.outcome == .current })
    }

    @Test func `what nobody edited is renewed, what people wrote beside it stays`() throws {
        let edited = draft("first").text.replacing("_yours:_", with: "_yours:_ we were asleep")
            .replacing("<!-- oakum:section lessons", with: "Between sections.\n\n<!-- oakum:section lessons")
        let merged = try draft("second").merged(into: edited)
        #expect(merged.text.contains("second of impact") && !merged.text.contains("first of"))
        #expect(merged.text.contains("_yours:_ we were asleep") && merged.text.contains("Between sections."))
        #expect(merged.fates.map(\.outcome) == [.renewed, .renewed, .renewed, .renewed])
    }

    @Test func `an edited section is left alone, and that is said`() throws {
        let edited = draft("first").text.replacing("first of impact", with: "half of all users")
        let merged = try draft("second").merged(into: edited)
        #expect(merged.text.contains("half of all users") && !merged.text.contains("second of impact"))
        #expect(merged.leftAlone == [.init(section: "impact", outcome: .edited)])
    }

    @Test
    func `a section that was emptied stays empty, one that was removed with its comments comes back in its place`()
        throws
    {
        let text = draft("first").text
        let emptied = text.replacing("\n## impact\n\nfirst of impact\n\n", with: "")
        #expect(try outcome(draft("second").merged(into: emptied), "impact") == .edited)
        let start = try #require(text.firstRange(of: "<!-- oakum:section impact")).lowerBound
        let end = try #require(text.firstRange(of: "<!-- oakum:end impact -->\n")).upperBound
        let removed = text.replacingCharacters(start..<end, with: "")
        let merged = try draft("second").merged(into: removed)
        #expect(outcome(merged, "impact") == .added)
        let order = ["title", "impact", "lessons", "end"].map { merged.text.firstRange(of: "of \($0)")?.lowerBound }
        #expect(order.compactMap { $0 } == order.compactMap { $0 }.sorted() && order.count == 4)
    }

    @Test func `room for people comes with its section and never again`() throws {
        let removed = draft("first").text.replacing("_yours:_", with: "")
        #expect(try !draft("second").merged(into: removed).text.contains("_yours:_"))
        let older = draft("first", ids: ["title", "end"]).text
        let merged = try draft("second").merged(into: older)
        #expect(merged.text.contains("_yours:_"))
        #expect(outcome(merged, "lessons") == .added)
    }

    @Test func `a section whose comment is gone belongs to people`() throws {
        let text = draft("first").text
        for gone in ["<!-- oakum:end impact -->\n", "<!-- oakum:section impact"] {
            let merged = try draft("second").merged(into: text.replacing(gone, with: ""))
            #expect(outcome(merged, "impact") == .damaged)
            #expect(merged.text.contains("first of impact") && !merged.text.contains("second of impact"))
        }
    }

    @Test func `a section that was copied is left alone in both places`() throws {
        let text = draft("first").text
        let start = try #require(text.firstRange(of: "<!-- oakum:section impact")).lowerBound
        let merged = try draft("second").merged(into: text + text[start...].prefix { _ in true })
        #expect(outcome(merged, "impact") == .doubled)
        #expect(!merged.text.contains("second of impact"))
    }

    @Test func `a section of another version of Oakum is left alone`() throws {
        let text = draft("first", ids: ["title", "weather", "end"]).text
        let merged = try draft("second").merged(into: text)
        #expect(merged.leftAlone == [.init(section: "weather", outcome: .unknown)])
        #expect(merged.text.contains("first of weather"))
    }

    @Test func `other line ends are no edit, and are kept`() throws {
        let text = draft("first").text.replacing("\n", with: "\r\n")
        #expect(try draft("first").merged(into: text).text == text)
        let merged = try draft("second").merged(into: text)
        #expect(merged.text == draft("second").text.replacing("\n", with: "\r\n"))
    }

    @Test func `a file of somebody else, or about another incident, is refused`() throws {
        #expect(throws: MergeRefusal.notADraft) { try draft("first").merged(into: "# My notes\n") }
        #expect(throws: MergeRefusal.otherIncident("13 def")) {
            try draft("first").merged(into: draft("first").text.replacing("12 abc", with: "13 def"))
        }
        #expect(try draft("first").merged(into: "").text == draft("first").text)
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<String.Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
