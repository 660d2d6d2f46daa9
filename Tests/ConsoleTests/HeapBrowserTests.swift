import Foundation
import OakumAPI
import OakumModel
import OakumTestKit
import Testing

extension RunningServers {
    /// The flame graph in a real browser. Without Chromium there is nothing to drive it with.
    @Suite(.serialized, .timeLimit(.minutes(10)), .enabled(if: Browser.executable != nil))
    struct HeapBrowserTests {
        /// Where screenshots are kept when asked for.
        private static let keep = ProcessInfo.processInfo.environment["OAKUM_SCREENSHOTS"]

        private func withPage(
            _ state: FakeControlPlane.State, path: String = "heap?\(HeapSamples.query.parameters)",
            _ body: (BrowserPage) async throws -> Void
        ) async throws {
            try await withConsole(FakeControlPlane(state)) { console, _ in
                try await Browser.withRunning { browser in
                    let page = try await BrowserPage.open(browser)
                    try await page.size(1280, 900)
                    try await page.navigate(console.url + path)
                    try await body(page)
                    #expect(page.browser.complaints == [])
                }
            }
        }

        private func waitForGraph(_ page: BrowserPage) async throws {
            try await eventually("the graph is drawn", within: Browser.patience) {
                try await page.holds("document.querySelectorAll('.call-box').length > 3")
            }
        }

        private func press(_ page: BrowserPage, _ keys: String...) async throws {
            for key in keys {
                for type in ["rawKeyDown", "keyUp"] {
                    let code: Double =
                        ["Enter": 13, "Escape": 27, "Home": 36, "ArrowUp": 38, "ArrowDown": 40][key] ?? 39
                    try await page.call(
                        "Input.dispatchKeyEvent",
                        ["type": .string(type), "key": .string(key), "windowsVirtualKeyCode": .number(code)])
                }
            }
        }

        /// Names drawn, from the top, as "name width".
        private static let boxes = """
            [...document.querySelectorAll('.call-box')].map((box) =>
              `${box.querySelector('text')?.textContent ?? ''} ${Math.round(box.querySelector('rect').getBBox().width)}`)
            """
        private static let readout = "document.getElementById('flame-readout').textContent"

        private func keep(_ name: String, _ page: BrowserPage) async throws {
            guard let folder = Self.keep else { return }
            try await page.screenshot().write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }

        @Test(arguments: [("light", "heap.png"), ("dark", "heap-dark.png")])
        func `growth and what lives are drawn, and nothing complains`(_ scheme: String, _ file: String) async throws {
            let wall = WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
            let now = Moment(uptime: Uptime(seconds: 5_000), wall: wall)
            try await withPage(HeapSamples.state(now: now)) { page in
                try await page.colourScheme(scheme)
                try await waitForGraph(page)
                #expect(try await page.holds("!document.getElementById('calls').open"))
                let names = try await page.evaluate("\(Self.boxes).slice(0, 5).join('|')").string ?? ""
                for name in ["all ", "|closure #1 in Registration.Routes.add ", "|Registration.SignUp.answer "] {
                    #expect(names.contains(name), "\(names)")
                }
                // What shrank has no width among what grew, and is there among what lives.
                #expect(try await page.holds("!\(Self.boxes).some((text) => text.startsWith('GRDB'))"))
                #expect(try await page.evaluate(Self.readout).string?.contains("+83.1 MiB grown") == true)
                try await keep(file, page)
                _ = try await page.evaluate("document.querySelector('button[data-show=live]').click()")
                #expect(
                    try await page.evaluate("document.querySelectorAll('.call-box[data-role=library]').length").number
                        == 4)
                #expect(try await page.holds("\(Self.boxes).some((text) => text.startsWith('main'))"))
                try await page.size(420, 900)
                try await eventually("the graph follows the width", within: Browser.patience) {
                    try await page.holds("document.getElementById('flame-plot').clientWidth <= 420")
                }
                #expect(try await page.holds("document.documentElement.scrollWidth <= innerWidth"))
                try await keep("narrow-\(file)", page)
            }
        }

        @Test func `keys move, zoom and go back, and what has the focus is told`() async throws {
            try await withPage(HeapSamples.state()) { page in
                try await waitForGraph(page)
                _ = try await page.evaluate("document.querySelector('.call-box[tabindex=\"0\"]').focus()")
                try await press(page, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
                let told = try await page.evaluate(Self.readout).string ?? ""
                for part in ["VerificationContext.init(account", "Verification.swift:49", "94.0 MiB alive", "own code"]
                {
                    #expect(told.contains(part), "\(told)")
                }
                #expect(
                    try await page.evaluate("document.activeElement.getAttribute('aria-label')").string?
                        .contains("Registration.VerificationContext.init, Verification.swift:49") == true)
                let before = try await page.evaluate("\(Self.boxes).length").number
                try await press(page, "Enter")
                #expect(try await page.holds("document.querySelectorAll('.call-box[data-above]').length === 5"))
                #expect(
                    try await page.holds("document.activeElement.node?.function.includes('VerificationContext.init')"))
                #expect(try await page.holds("!document.getElementById('flame-back').disabled"))
                try await press(page, "Escape")
                #expect(try await page.holds("document.querySelectorAll('.call-box[data-above]').length === 4"))
                _ = try await page.evaluate("document.getElementById('flame-back').click()")
                #expect(try await page.evaluate("\(Self.boxes).length").number == before)
                #expect(try await page.holds("document.getElementById('flame-back').disabled"))
                _ = try await page.evaluate(
                    "document.querySelectorAll('.call-box')[3].dispatchEvent(new MouseEvent('click', {bubbles: true}))")
                #expect(try await page.holds("document.querySelectorAll('.call-box[data-above]').length === 3"))
            }
        }

        @Test func `an idle heap says that nothing grew`() async throws {
            var state = HeapSamples.state()
            for index in state.heaps[HeapSamples.query]?.tree.indices ?? 0..<0 {
                state.heaps[HeapSamples.query]?.tree[index].growth = 0
            }
            try await withPage(state) { page in
                try await eventually("it is said", within: Browser.patience) {
                    try await page.holds("document.getElementById('flame-note')?.textContent.includes('Nothing grew')")
                }
                _ = try await page.evaluate("document.querySelector('button[data-show=live]').click()")
                try await waitForGraph(page)
            }
        }

        @Test func `the chain of a leak that is named live is drawn step by step`() async throws {
            var state = HeapSamples.state()
            state.overview.services[0].workers[0].leaks = nil
            let fake = FakeControlPlane(state)
            try await withConsole(fake, interval: .milliseconds(100)) { console, _ in
                try await Browser.withRunning { browser in
                    let page = try await BrowserPage.open(browser)
                    try await page.size(1280, 900)
                    try await page.navigate(console.url)
                    try await eventually("the page says it is live", within: Browser.patience) {
                        try await page.holds("document.getElementById('live')?.dataset.state === 'live'")
                    }
                    #expect(try await page.holds("!document.querySelector('.chain')"))
                    var finding = HeapSamples.finding
                    finding.cache = HoldingCache(name: "profiles", heldBytes: 63 << 20, boundBytes: 100 << 20)
                    fake.change { [finding] state in
                        state.overview.services[0].workers[0].leaks = [finding]
                        var event = Samples.event(3, .leakNamed, 61, "registrar/7: 94.0 MiB from …")
                        event.event.heap = [finding]
                        state.events.append(event)
                    }
                    for place in ["tbody tr[data-worker=\"7\"] .chain", "#events li .chain"] {
                        try await eventually("the chain at \(place)", within: Browser.patience) {
                            try await page.evaluate(
                                "[...document.querySelectorAll('\(place) > li')].map((step) => step.textContent).join('|')"
                            ).string == HeapSamples.finding.chain.joined(separator: "|")
                        }
                    }
                    #expect(
                        try await page.evaluate("document.querySelector('#events li .leak-site').textContent").string?
                            .hasSuffix(", held by cache `profiles`, 63 % of its 100.0 MiB") == true)
                    let link = try await page.evaluate(
                        "document.querySelector('tbody tr[data-worker=\"7\"] .heap-link').getAttribute('href')")
                    #expect(link.string?.hasSuffix("/heap?service=registrar&worker=7") == true)
                    try await eventually("the event has arrived", within: Browser.patience) {
                        try await page.holds("document.getAnimations().every((one) => one.playState === 'finished')")
                    }
                    try await keep("chain.png", page)
                    #expect(page.browser.complaints == [])
                }
            }
        }
    }
}
