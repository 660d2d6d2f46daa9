import OakumAPI
import OakumModel

/// The places where memory was allocated, the worst first, with types and who holds it.
struct HeapSites {
    var view: HeapView

    var markup: Markup {
        let left: Markup =
            view.sitesLeftOut > 0 ? "<p class=\"left-out\">\(view.sitesLeftOut) lesser places are left out.</p>" : ""
        let growth: Markup = view.base == nil ? "" : "<th scope=\"col\" class=\"right\">Grown</th>"
        return """
            <section class="service" id="sites" aria-labelledby="sites-title">
            <h2 id="sites-title">Places</h2>
            <div class="table-frame"><table class="sites">
            <thead><tr><th scope="col">Where it was allocated</th><th scope="col">Verdict</th>\
            <th scope="col" class="right">Alive</th>\(growth)<th scope="col" class="right">Never freed</th></tr></thead>
            <tbody>\(view.sites.map(rows))</tbody>
            </table></div>
            \(left)
            </section>
            """
    }

    private func rows(_ site: HeapSite) -> Markup {
        let growth: Markup =
            view.base == nil
            ? ""
            : "<td class=\"right number\" data-label=\"Grown\">\(site.growth.map { amount(HeapShown.signed($0.estimate), $0) } ?? "–")</td>"
        return """
            <tr data-verdict="\(site.verdict)"><th scope="row"><span class="place">\(site.site)</span>\
            \(type(of: site))</th>
            <td data-label="Verdict" class="verdict"><span class="chip">\(Self.capitalised(site.verdictWords))</span> \
            <span class="detail">\(Shown.glued(site.reason))</span></td>
            <td class="right number" data-label="Alive">\(amount(HeapShown.bytes(site.live.estimate), site.live))\
            <span class="range">\(HeapShown.percent(site.share)) of all</span></td>
            \(growth)
            <td class="right number" data-label="Never freed">\(neverFreed(site))</td></tr>
            \(holders(of: site))
            """
    }

    private func type(of site: HeapSite) -> Markup {
        guard !site.types.isEmpty else { return "<span class=\"type\">type not known</span>" }
        let names = site.types.map(\.type).joined(separator: ", ")
        return "<span class=\"type\">\(names)</span>"
    }

    private func amount(_ text: String, _ estimate: Estimate) -> Markup {
        view.meanBytes <= 1
            ? "<b>\(text)</b>" : "<b>\(text)</b><span class=\"range\">\(HeapShown.interval(estimate))</span>"
    }

    private func neverFreed(_ site: HeapSite) -> Markup {
        guard let share = site.neverFreed else { return "–" }
        return """
            <b>\(HeapShown.percent(share.estimate))</b><span class="range">\(HeapShown.percent(share.low)) to \
            \(HeapShown.percent(share.high))</span>
            """
    }

    /// All the width of the table: chains are long.
    private func holders(of site: HeapSite) -> Markup {
        guard !site.chains.isEmpty else { return "" }
        let chains: [Markup] = site.chains.map { chain in
            """
            <div class="holders"><p class="range">held so: \(chain.blocks) of \(chain.examined) blocks looked at</p>\
            \(ChainSteps.steps(chain.path))</div>
            """
        }
        let cache: Markup = site.cache.map { "<p class=\"cache\">\(Self.capitalised($0.words))</p>" } ?? ""
        return "<tr class=\"chains\"><td colspan=\"\(view.base == nil ? 4 : 5)\">\(cache)\(chains)</td></tr>"
    }

    private static func capitalised(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }
}

/// The tree of calls as a table: what the flame graph is drawn from, and what is read without script.
struct HeapCalls {
    var view: HeapView

    /// Deeper calls are indented no further.
    private static let deepest = 32

    var markup: Markup {
        let growth: Markup = view.base == nil ? "" : "<th scope=\"col\" class=\"right\">Grown</th>"
        let left: Markup =
            view.nodesLeftOut > 0
            ? "<p class=\"left-out\">\(view.nodesLeftOut) smaller calls are left out; their memory counts for their callers.</p>"
            : ""
        return """
            <section class="service" aria-labelledby="calls-title">
            <details id="calls" open><summary><h2 id="calls-title">Calls</h2> as a table</summary>
            <div class="table-frame"><table class="calls">
            <thead><tr><th scope="col">Function, callers before what they call</th><th scope="col">Code</th>\
            <th scope="col" class="right">Alive</th>\(growth)<th scope="col" class="right">By itself</th></tr></thead>
            <tbody>\(rows)</tbody>
            </table></div>
            \(left)
            </details>
            </section>
            """
    }

    private var rows: [Markup] {
        var depths: [Int] = []
        return view.tree.map { node in
            // Callers come first; anything else is not indented.
            let depth = node.parent.flatMap { depths.indices.contains($0) ? depths[$0] + 1 : nil } ?? 0
            depths.append(depth)
            return row(node, depth: depth)
        }
    }

    private func row(_ node: HeapNode, depth: Int) -> Markup {
        let parent: Markup = node.parent.map { " data-parent=\"\($0)\"" } ?? ""
        let place: Markup = node.place.map { " <span class=\"range\" data-field=\"place\">\($0)</span>" } ?? ""
        let growth: Markup =
            view.base == nil
            ? "" : "<td class=\"right number\">\(node.growth.map { HeapShown.signed(Double($0)) } ?? "–")</td>"
        let grown: Markup = node.growth.map { " data-growth=\"\($0)\"" } ?? ""
        return """
            <tr\(parent) data-role="\(node.role.rawValue)" data-bytes="\(node.bytes)" data-own="\(node.ownBytes)"\(grown)>\
            <td class="call" data-depth="\(min(depth, Self.deepest))"><span data-field="function">\(node.function)</span>\
            \(place)</td><td>\(HeapShown.role(node.role))</td>\
            <td class="right number">\(HeapShown.bytes(Double(node.bytes)))</td>\(growth)\
            <td class="right number">\(node.ownBytes > 0 ? HeapShown.bytes(Double(node.ownBytes)) : "–")</td></tr>

            """
    }
}
