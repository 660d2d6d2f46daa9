import Foundation
package import OakumModel
package import Postmortem

/// From what is known of an incident to files on disk: one call for whoever has a report, be it a command or a drill.
package struct PostmortemWriting: Sendable {
    private let facts: PostmortemFacts
    private let remarks: [String]

    /// - Parameters:
    ///   - configuration: says what of the users' side is watched; nil: the draft says that this is not known.
    ///   - remarks: what could not be had; told in the outcome.
    package init(
        _ source: PostmortemSource, configuration: OakumConfiguration?, zone: DocumentZone, now: WallTime,
        remarks: [String] = []
    ) {
        facts = PostmortemFacts(source, configuration: configuration, zone: zone, now: now)
        self.remarks = remarks
    }

    /// The document as a new file, without its charts.
    package var text: String {
        PostmortemDraft(facts, fileStem: PostmortemDraft.fileStem(facts.incident)).document.text
    }

    /// Writes the document and its charts; what people edited stays.
    ///
    /// - Parameter output: a file, or a folder that exists; nil: `postmortems/INCIDENT-….md` in the working folder.
    package func write(to output: String?) throws(PostmortemProblem) -> PostmortemOutcome {
        let file = PostmortemFile(facts: facts, output: output)
        var facts = facts
        facts.glossary = Self.glossary(from: file.path)
        let draft = PostmortemDraft(facts, fileStem: file.stem)
        return try file.write(draft, incident: facts.incident.id, remarks: remarks)
    }

    /// Oakum's glossary, where the document lies in a tree that has it: relative, so that it holds for other checkouts.
    private static func glossary(from path: String) -> String? {
        var folder = URL(filePath: path).deletingLastPathComponent()
        for up in 0..<6 {
            let glossary = folder.appending(path: "docs/glossary.md").path
            let isOurs = FileManager.default.fileExists(atPath: folder.appending(path: "share/oakum/www").path)
            if isOurs, FileManager.default.fileExists(atPath: glossary) {
                return String(repeating: "../", count: up) + "docs/glossary.md"
            }
            folder.deleteLastPathComponent()
        }
        return nil
    }
}

/// The incident plan of a configuration.
package struct IncidentPlanText: Sendable {
    private let plan: IncidentPlan

    package init(_ configuration: OakumConfiguration, file: String, zone: DocumentZone, now: WallTime) {
        var facts = PlanFacts(configuration, file: file, now: now)
        facts.problems = IncidentPlan(facts, zone: zone).gaps
        plan = IncidentPlan(facts, zone: zone)
    }

    /// With everything that is missing under `problems`.
    package var facts: PlanFacts { plan.facts }

    package var markdown: String { plan.markdown }
}
