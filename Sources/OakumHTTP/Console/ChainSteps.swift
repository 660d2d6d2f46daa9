import OakumAPI
import OakumModel

/// Who holds what leaks, as steps from the root to the leaked type. `share/oakum/www/chain.js` draws the same.
enum ChainSteps {
    /// Chains of a worker or an event that are shown as steps; the heap's own page shows all.
    private static let shown = 2

    static func of(_ findings: [HeapFinding]) -> [Markup] {
        findings.prefix(shown).filter { !$0.chain.isEmpty }.map { finding in
            """
            <p class="leak-site">\(finding.type ?? "What leaks") from <span class="place">\(finding.site)</span>, held by</p>\
            \(steps(finding.chain))
            """
        }
    }

    static func steps(_ path: [String]) -> Markup {
        let items: [Markup] = path.map { "<li>\($0)</li>" }
        return "<ol class=\"chain\" aria-label=\"Who holds it, from the root\">\(items)</ol>"
    }
}
