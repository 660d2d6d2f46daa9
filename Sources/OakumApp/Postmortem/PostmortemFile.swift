import Foundation
import OakumModel
package import Postmortem

/// Why no draft was written: what happened and what to do next.
package struct PostmortemProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// What became of a draft on disk. The JSON of `oakum postmortem draft --json`.
package struct PostmortemOutcome: Hashable, Sendable, Codable {
    package struct Chart: Hashable, Sendable, Codable {
        package var file: String
        /// `written`, `current`, or `edited`: a person changed it, and it was left alone.
        package var outcome: String
    }

    package var incident: Int64
    package var file: String
    /// The file was not there before.
    package var isNew: Bool
    package var sections: [MergedDocument.Fate]
    package var charts: [Chart]
    /// What could not be had.
    package var remarks: [String]

    private enum CodingKeys: String, CodingKey {
        case incident, file, sections, charts, remarks
        case isNew = "new"
    }
}

/// Writes drafts. Nothing that a person changed is overwritten, neither in the document nor in a chart.
package struct PostmortemFile: Sendable {
    /// Absolute.
    package let path: String

    /// Larger ones are not read: no draft comes near.
    private static let limitBytes = 16 << 20

    /// - Parameter output: a file, or a folder that exists; nil: `postmortems/INCIDENT-….md` here.
    package init(facts: PostmortemFacts, output: String?) {
        let stem = PostmortemDraft.fileStem(facts.incident)
        var isFolder: ObjCBool = false
        let output = output ?? Self.existing(facts.incident.id) ?? "postmortems/\(stem).md"
        let exists = FileManager.default.fileExists(atPath: output, isDirectory: &isFolder)
        let file = exists && isFolder.boolValue ? "\(output)/\(stem).md" : output
        path = URL(filePath: file).standardizedFileURL.path
    }

    /// The draft of the incident under whatever name it got: its kind may have changed since.
    private static func existing(_ id: Int64) -> String? {
        // No such folder: nothing exists.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "postmortems")) ?? []
        let found = names.filter { $0.hasPrefix("INCIDENT-\(id)-") && $0.hasSuffix(".md") }
        return found.count == 1 ? found.first.map { "postmortems/\($0)" } : nil
    }

    /// What the charts' names begin with.
    package var stem: String {
        let name = URL(filePath: path).lastPathComponent
        return name.hasSuffix(".md") ? String(name.dropLast(3)) : name
    }

    /// Writes the charts and then the document, each at once or not at all.
    package func write(_ draft: PostmortemDraft, incident: Int64, remarks: [String]) throws(PostmortemProblem)
        -> PostmortemOutcome
    {
        let existing = try read(path)
        let merged: MergedDocument
        do throws(MergeRefusal) {
            merged = try draft.document.merged(into: existing ?? "")
        } catch {
            throw PostmortemProblem(refusal(error))
        }
        let folder = URL(filePath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw PostmortemProblem("the folder \(folder.path) cannot be made: \(error.localizedDescription)")
        }
        var charts: [PostmortemOutcome.Chart] = []
        for chart in draft.charts {
            charts.append(try write(chart, to: folder.appending(path: chart.fileName).path))
        }
        if merged.text != existing { try write(merged.text, to: path) }
        return PostmortemOutcome(
            incident: incident, file: path, isNew: existing == nil, sections: merged.fates, charts: charts,
            remarks: remarks)
    }

    private func write(_ chart: PostmortemChart, to path: String) throws(PostmortemProblem) -> PostmortemOutcome.Chart {
        let existing = try read(path)
        if existing == chart.svg { return PostmortemOutcome.Chart(file: path, outcome: "current") }
        if let existing, !PostmortemChart.mayReplace(existing) {
            return PostmortemOutcome.Chart(file: path, outcome: "edited")
        }
        try write(chart.svg, to: path)
        return PostmortemOutcome.Chart(file: path, outcome: "written")
    }

    private func refusal(_ refusal: MergeRefusal) -> String {
        switch refusal {
        case .notADraft:
            "\(path) exists and is no draft of Oakum: it is left alone. Name another file with `-o FILE`"
        case .otherIncident(let subject):
            "\(path) is about another incident (#\(subject.prefix { $0 != " " })): it is left alone. Name another file with `-o FILE`"
        }
    }

    // MARK: - Files

    /// Nil: there is no such file.
    private func read(_ path: String) throws(PostmortemProblem) -> String? {
        let file: SmallFile
        do throws(SmallFile.Problem) {
            file = try SmallFile.read(path, limit: Self.limitBytes)
        } catch {
            switch error {
            case .missing: return nil
            case .notAFile: throw PostmortemProblem("\(path) is no plain file: it is left alone")
            case .tooLarge: throw PostmortemProblem("\(path) is larger than 16 MiB: it is left alone")
            case .unreadable(let words): throw PostmortemProblem("\(path) cannot be read: \(words)")
            }
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw PostmortemProblem("\(path) is not UTF-8 text: it is left alone")
        }
        return text
    }

    private func write(_ text: String, to path: String) throws(PostmortemProblem) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw PostmortemProblem("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
