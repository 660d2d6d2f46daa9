import OakumAPI
import OakumModel

/// Who holds what leaks, as steps from the root to the leaked type. `share/oakum/www/chain.js` draws the same.
enum ChainSteps {
    /// Chains of a worker or an event that are shown as steps; the heap's own page shows all.
    private static let shown = 2

    /// - Parameter heap: where more is to be seen; nil when the link stands elsewhere.
    static func of(_ findings: [HeapFinding], heap: HeapQuery? = nil) -> [Markup] {
        let chains = chains(findings)
        guard let heap, !findings.isEmpty else { return chains }
        return chains + ["<p class=\"leak-site\"><a href=\"/heap?\(heap.parameters)\">Look into its heap</a></p>"]
    }

    private static func chains(_ findings: [HeapFinding]) -> [Markup] {
        findings.prefix(shown).filter { !$0.chain.isEmpty }.map { finding in
            """
            <p class="leak-site">\(finding.type ?? "What leaks") from <span class="place">\(finding.site)</span>, \
            \(finding.cache?.words ?? "held by")</p>\
            \(steps(finding.chain))
            """
        }
    }

    static func steps(_ path: [String]) -> Markup {
        let items: [Markup] = path.map { "<li>\($0)</li>" }
        return "<ol class=\"chain\" aria-label=\"Who holds it, from the root\">\(items)</ol>"
    }
}
