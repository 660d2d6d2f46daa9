import Foundation
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import ServiceLifecycle
import Testing

extension RunningServers {
    /// The page in a real browser, over live data. Without Chromium there is nothing to drive it with.
    @Suite(.serialized, .timeLimit(.minutes(10)), .enabled(if: Browser.executable != nil))
    struct BrowserTests {
        /// Where screenshots are kept when asked for; they go into the README.
        private static let keep = ProcessInfo.processInfo.environment["OAKUM_SCREENSHOTS"]

        private func withPage(
            _ plane: FakeControlPlane, dygraphs: String = "/usr/share/javascript/dygraphs",
            _ body: (BrowserPage, _ url: String) async throws -> Void
        ) async throws {
            try await withConsole(plane, dygraphs: dygraphs, interval: .milliseconds(200)) { console, _ in
                try await Browser.withRunning { browser in
                    try await body(try await BrowserPage.open(browser), console.url)
                }
            }
        }

        private func waitForLiveData(_ page: BrowserPage) async throws {
            try await eventually("the page says it is live", within: Browser.patience) {
                try await page.holds("document.getElementById('live')?.dataset.state === 'live'")
            }
            let memory = "document.querySelector('[data-field=rss]').textContent"
            let first = try await page.evaluate(memory).string
            try await eventually("readings move", within: Browser.patience) {
                try await page.evaluate(memory).string != first
            }
            try await eventually("charts are drawn", within: Browser.patience) {
                try await page.holds("document.querySelectorAll('.plot canvas').length >= 4 && \(Self.ink) > 400")
            }
        }

        /// How many pixels of the first chart carry a strong colour: lines, not just a grid.
        private static let ink = """
            (() => { let canvas = [...document.querySelectorAll('.plot canvas')].find((one) => one.width > 0);
            let data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; let count = 0;
            for (let at = 0; at < data.length; at += 4) {
              let low = Math.min(data[at], data[at + 1], data[at + 2]), high = Math.max(data[at], data[at + 1], data[at + 2]);
              if (data[at + 3] > 200 && high - low > 60) count += 1;
            } return count; })()
            """

        /// What runs out of the window, and what lies over its neighbour.
        private static let layoutFaults = """
            (() => { let faults = [];
            if (document.documentElement.scrollWidth > innerWidth) faults.push('wider than the window');
            for (let parent of document.querySelectorAll('.top, .service-head, .facts, figcaption, tbody tr, .event-head')) {
              let boxes = [...parent.children].map((one) => [one, one.getBoundingClientRect()]).filter(([, box]) => box.width > 0);
              boxes.forEach(([one, a], index) => boxes.slice(index + 1).forEach(([other, b]) => {
                if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                  faults.push(`${one.className || one.tagName} over ${other.className || other.tagName}`); })); }
            return [...new Set(faults)].join('; '); })()
            """

        private func keep(_ name: String, _ image: Data) throws {
            #expect(image.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            guard let folder = Self.keep else { return }
            try image.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }

        @Test(arguments: [("light", "console.png"), ("dark", "console-dark.png")])
        func `live data arrives, charts are drawn, nothing complains`(_ scheme: String, _ file: String) async throws {
            try await withPage(Showcase.controlPlane()) { page, url in
                try await page.size(1280, 900)
                try await page.colourScheme(scheme)
                try await page.navigate(url)
                try await waitForLiveData(page)
                #expect(try await page.evaluate(Self.layoutFaults).string == "")
                #expect(try await page.holds("document.querySelectorAll('.service').length === 2"))
                try keep(file, try await page.screenshot())
                try await page.size(420, 900)
                try await eventually("the chart follows the width", within: Browser.patience) {
                    try await page.holds("document.querySelector('.plot canvas').clientWidth <= 420")
                }
                #expect(try await page.evaluate(Self.layoutFaults).string == "")
                if Self.keep != nil { try keep("narrow-\(file)", try await page.screenshot()) }
                #expect(page.browser.complaints == [])
            }
        }

        @Test func `names from outside stay text when they come live`() async throws {
            let evil = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>"
            let fake = FakeControlPlane()
            try await withPage(fake) { page, url in
                try await page.navigate(url)
                try await eventually("the page says it is live", within: Browser.patience) {
                    try await page.holds("document.getElementById('live')?.dataset.state === 'live'")
                }
                fake.change { state in
                    state.overview.services[0].workers.append(
                        Samples.worker(
                            9, pid: 77, mebibytes: 20, verdict: Verdict(code: .leak, evidence: [evil]), summary: evil))
                    state.overview.oakum.problems = [evil]
                    state.overview.oakum.paused = true
                    state.events.append(Samples.event(3, .problem, 61, evil))
                }
                try await eventually("the new worker and event are shown", within: Browser.patience) {
                    try await page.holds(
                        "document.querySelectorAll('tbody tr').length === 3 && document.querySelectorAll('#events li').length === 3"
                    )
                }
                #expect(
                    try await page.holds(
                        "document.querySelector('#events .event-text').textContent.includes('<img src=x')")
                )
                #expect(try await page.holds("document.querySelector('#problems li').textContent.includes('<script>')"))
                #expect(try await page.holds("!document.getElementById('paused').hidden"))
                #expect(try await page.holds("!document.querySelector('img') && window.pwned === undefined"))
                fake.change { $0.overview.services[0].workers.removeFirst() }
                try await eventually("a worker that is gone leaves the table", within: Browser.patience) {
                    try await page.holds(
                        "[...document.querySelectorAll('tbody tr')].map((row) => row.dataset.worker).join() === '8,9'")
                }
                #expect(page.browser.complaints == [])
            }
        }

        @Test func `a lost connection is shown`() async throws {
            try await withConsole(FakeControlPlane()) { console, group in
                try await Browser.withRunning { browser in
                    let page = try await BrowserPage.open(browser)
                    try await page.navigate(console.url)
                    try await eventually("the page says it is live", within: Browser.patience) {
                        try await page.holds("document.getElementById('live')?.dataset.state === 'live'")
                    }
                    await group.triggerGracefulShutdown()
                    try await eventually("the page says the connection is lost", within: Browser.patience) {
                        try await page.holds("document.getElementById('live').textContent.includes('Connection lost')")
                    }
                }
            }
        }

        @Test func `the page is readable without script, and without charts`() async throws {
            try await withPage(FakeControlPlane(), dygraphs: "/nonexistent") { page, url in
                try await page.call("Emulation.setScriptExecutionDisabled", ["value": true])
                try await page.size(1280, 900)
                try await page.navigate(url)
                try await eventually("the table is there", within: Browser.patience) {
                    let tree = try await page.call("Accessibility.getFullAXTree")
                    let names = (tree["nodes"]?.array ?? []).compactMap { $0["name"]?["value"]?.string }
                    return ["181.4 MiB", "Leak", "Serving"].allSatisfy(names.contains)
                }
                if Self.keep != nil { try keep("plain.png", try await page.screenshot()) }
                #expect(page.browser.complaints == [])
            }
        }

        @Test func `complaints of a page are caught`() async throws {
            try await withPage(FakeControlPlane()) { page, url in
                try await page.navigate(url)
                _ = try await page.evaluate("setTimeout(() => { throw new Error('planted') })")
                _ = try await page.evaluate("console.error('said aloud')")
                _ = try await page.evaluate("fetch('/missing').then(() => 0)")
                _ = try await page.evaluate("document.body.setAttribute('style', 'color: red')")
                try await eventually("all four are caught", within: Browser.patience) {
                    let all = page.browser.complaints.joined(separator: "\n")
                    return ["planted", "said aloud", "404", "Content Security Policy"].allSatisfy { all.contains($0) }
                }
            }
        }
    }
}
