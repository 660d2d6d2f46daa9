package import OakumModel

/// The draft of a postmortem: everything that was measured or recorded, in the order people expect, with room for what only
/// people know. Nothing in it was typed, and what was not measured is said not to have been.
package struct PostmortemDraft: Sendable {
    package var document: PostmortemDocument
    /// The files it shows, to lie beside it.
    package var charts: [PostmortemChart]

    /// - Parameter fileStem: the document's file name without its ending; the charts' names begin with it.
    package init(_ facts: PostmortemFacts, fileStem: String) {
        let writer = DraftWriter(facts, fileStem: fileStem)
        charts = writer.charts
        document = PostmortemDocument(
            subject: Self.subject(facts.incident),
            remark:
                "Drafted by Oakum. Edit anything: `oakum postmortem draft \(facts.incident.id)` renews only sections that "
                + "nobody has edited. To drop a section for good, empty it and leave its two comments.",
            sections: writer.sections)
    }

    /// The number alone may mean another incident in another state folder.
    static func subject(_ incident: Incident) -> String {
        let origin = "\(incident.fingerprint)\n\(incident.milestones.detected.milliseconds)"
        return "\(incident.id) \(SectionMarker.hash(origin.utf8))"
    }

    /// "INCIDENT-12-registrar-memory-leak": the same for as long as the incident lives, whatever its title becomes.
    package static func fileStem(_ incident: Incident) -> String {
        let words = [incident.service ?? "", incident.kind.rawValue].joined(separator: "-").lowercased()
        var slug = ""
        for scalar in words.unicodeScalars {
            let isPlain = ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
            if isPlain { slug.unicodeScalars.append(scalar) } else if slug.last != "-", !slug.isEmpty { slug += "-" }
            if slug.utf8.count >= 60 { break }
        }
        while slug.last == "-" { slug.removeLast() }
        return "INCIDENT-\(incident.id)-\(slug)"
    }
}
