import OakumModel
import Postmortem
import Testing

@Suite struct DraftTests {
    private let draft = PostmortemDraft(RegistrationIncident.facts, fileStem: "INCIDENT-12-registrar-memory-leak")

    @Test func `the draft of the registration incident is the one that was read over`() throws {
        try expectGolden(draft.document.text, "registration.md")
        for chart in draft.charts { try expectGolden(chart.svg, chart.fileName) }
        #expect(
            draft.charts.map(\.fileName) == [
                "INCIDENT-12-registrar-memory-leak-memory.svg", "INCIDENT-12-registrar-memory-leak-sign-ups.svg",
            ])
    }
}
