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

    @Test func `an incident that was to page nobody is not said to have been paged wrongly`() {
        var facts = RegistrationIncident.facts
        facts.pages = []
        facts.incident.policy = nil
        facts.incident.milestones.paged = nil
        facts.incident.milestones.acknowledged = nil
        func text(_ pagesNobody: Bool) -> String {
            facts.treatment = ServiceTreatment(recycles: true, samplesHeap: true, pagesNobody: pagesNobody)
            return PostmortemDraft(facts, fileStem: "INCIDENT-12").document.text
        }
        let complaints = [
            "Nobody was paged.", "Nobody acknowledged it.", "Name an escalation policy", "No page was made.",
        ]
        let missed = text(false)
        #expect(complaints.allSatisfy { missed.contains($0) })
        let decided = text(true)
        #expect(complaints.allSatisfy { !decided.contains($0) })
        #expect(decided.contains("Nobody is paged for the service: `policy: none`."))
    }
}
