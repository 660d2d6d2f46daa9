import OakumAPI
import OakumModel

/// What a look into a heap saw, readable without script: `heap.js` draws the flame graph from the table of calls.
struct HeapPage {
    var view: HeapView

    private static func name(_ query: HeapQuery) -> String { "\(query.service)/\(query.worker)" }

    /// The top of the page, sent before the look begins.
    static func opening(_ query: HeapQuery) -> Markup {
        """
        \(ConsolePage.head(title: "Oakum · heap of \(name(query))", script: "heap.js", style: "heap.css"))
        <body>
        <a class="skip" href="#sites">Skip to the places</a>
        <header class="top">
        <a class="brand" href="/" title="All services">\(ConsolePage.mark)<h1>Oakum</h1></a>
        <p class="lede">Heap of <b>\(name(query))</b>: what lives in its memory, what grew, and who holds it</p>
        <a class="button" href="/heap?\(query.parameters)" title="What was seen is shown again for ten seconds">\
        Look again</a>
        </header>
        <main class="heap">
        <p class="looking" role="status">Looking into the heap of \(name(query)). It is not stopped; this takes some \
        seconds.</p>

        """
    }

    /// Instead of the rest, when nothing could be seen.
    static func trouble(_ error: ControlError, _ query: HeapQuery) -> Markup {
        """
        <p class="notice" data-tone="warn" role="alert"><strong>Nothing to show.</strong> \(error.message)</p>
        <p class="retry"><a href="/heap?\(query.parameters)">Try again</a> · <a href="/">All services</a></p>
        </main>
        </body>
        </html>

        """
    }

    /// What follows `opening`.
    var markup: Markup {
        """
        <section class="service" aria-labelledby="heap-title">
        <header class="service-head"><h2 id="heap-title">\(view.service)/\(view.worker)</h2>
        <p class="address">pid \(view.process.pid)\(view.isAlive ? "" : ", gone: this is what it left")</p>
        \(facts)</header>
        <p class="estimates">\(estimates)</p>
        \(remarks)
        \(figure)
        </section>
        \(HeapSites(view: view).markup)
        \(HeapCalls(view: view).markup)
        </main>
        \(footer)
        </body>
        </html>

        """
    }

    private var query: HeapQuery { HeapQuery(service: view.service, worker: view.worker) }

    // MARK: - Figures

    private var facts: Markup {
        let inUse: Markup =
            view.bytesInUse.map { "<div><dt>Allocated, counted</dt><dd>\(Shown.bytes(ByteCount($0)))</dd></div>" } ?? ""
        let growth: Markup =
            view.growth.map { growth in
                "<div><dt>Grown</dt><dd title=\"\(HeapShown.interval(growth))\">\(HeapShown.signed(growth.estimate))</dd></div>"
            } ?? ""
        return """
            <dl class="facts"><div><dt>As of</dt><dd>\(HeapShown.time(view.at))</dd></div>\
            <div><dt>Alive, estimated</dt><dd title="\(HeapShown.interval(view.live))">\
            \(HeapShown.bytes(view.live.estimate))</dd></div>\(inUse)\(growth)</dl>
            """
    }

    private var estimates: Markup {
        let rate: Markup =
            view.meanBytes <= 1
            ? "Every allocation is recorded, so sizes are exact."
            : """
            All sizes but the counted one are estimates: about one allocated byte in \
            \(Shown.limit(ByteCount(Int64(clamping: view.meanBytes)))) is sampled, and \
            \(Shown.count(Double(view.samples))) samples are alive. Ranges hold in \
            \(Int((view.confidence * 100).rounded())) of 100 cases.
            """
        let since: Markup
        if let base = view.base {
            since = """
                Growth is since \(HeapShown.time(base)), \(Shown.seconds(view.at.uptime - base.uptime)) before.
                """
        } else {
            since = """
                Growth cannot be told yet: there is no earlier moment to compare with. The first is kept when a worker is a \
                minute old.
                """
        }
        return "\(rate) \(since)"
    }

    private var remarks: Markup {
        guard !view.remarks.isEmpty else { return "" }
        let items: [Markup] = view.remarks.map { "<li>\($0)</li>" }
        return """
            <details class="remarks"><summary>To know when reading this</summary><ul>\(items)</ul></details>
            """
    }

    // MARK: - Flame graph

    private var figure: Markup {
        let growth: Markup =
            view.base.map { base in
                "<button type=\"button\" data-show=\"growth\" aria-pressed=\"true\">Growth since \(HeapShown.time(base))</button>"
            } ?? ""
        return """
            <noscript><p class="no-chart">The flame graph needs JavaScript; the table of calls at the end says the same.\
            </p></noscript>
            <figure class="flame" id="flame" hidden>
            <figcaption><span class="chart-title">Calls that lead to memory</span>\
            <span class="chart-legend">\
            <span><i class="key-role" data-role="own"></i>own code</span>\
            <span><i class="key-role" data-role="library"></i>library</span>\
            <span><i class="key-role" data-role="runtime"></i>runtime</span>\
            <span id="flame-heat"><i class="key-heat"></i>the stronger, the more of it is new</span></span>\
            <span class="spans" role="group" aria-label="What the widths stand for">\(growth)\
            <button type="button" data-show="live" aria-pressed="\(view.base == nil ? "true" : "false")">\
            Live now</button></span></figcaption>
            <div class="flame-bar"><p class="flame-readout" id="flame-readout"></p>\
            <button type="button" class="button" id="flame-back" disabled>Back to the root</button></div>
            <div class="flame-frame"><svg id="flame-plot" role="group" aria-label="Flame graph: callers above, what they \
            call below. Arrow keys move, Enter zooms, Escape zooms out."></svg></div>
            <p class="flame-note" id="flame-note"></p>
            </figure>
            """
    }

    private var footer: Markup {
        let parameters = query.parameters
        return """
            <footer><p>Looked for \(Shown.tenths(view.tookSeconds)) s · types, places and names, never values</p>
            <p>For other tools: <a href="/api/v1/heap?\(parameters)">JSON</a> \
            <a href="/api/v1/heap.pprof?\(parameters)" download>pprof</a> \
            <a href="/api/v1/heap.folded?\(parameters)" download>folded stacks</a></p></footer>
            """
    }
}

/// How figures of a heap are shown.
enum HeapShown {
    static func bytes(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e18 else { return "–" }
        let text = Shown.glued(Shown.bytes(ByteCount(Int64(abs(value).rounded()))))
        return value > -0.5 ? text : "−\(text)"
    }

    /// "+12.0 MiB", "−3.1 KiB".
    static func signed(_ value: Double) -> String {
        let text = bytes(abs(value))
        return value > 0.5 ? "+\(text)" : value < -0.5 ? "−\(text)" : text
    }

    /// "11.0 MiB to 13.2 MiB".
    static func interval(_ estimate: Estimate) -> String {
        "\(bytes(estimate.low)) to \(bytes(estimate.high))"
    }

    static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "–" }
        let percent = min(max(share, 0), 1) * 100
        return percent < 10 && percent > 0.05 ? "\(Shown.tenths(percent))\u{A0}%" : "\(Int(percent.rounded()))\u{A0}%"
    }

    static func time(_ moment: Moment) -> Markup {
        """
        <time datetime="\(CivilTime(moment.wall).isoText)" data-at="\(moment.wall.milliseconds)">\
        \(CivilTime(moment.wall).clockText) UTC</time>
        """
    }

    static func role(_ role: HeapRole) -> String {
        switch role {
        case .own: "own code"
        case .library: "library"
        case .runtime: "runtime"
        }
    }
}
