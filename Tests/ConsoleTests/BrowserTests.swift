import Foundation
import OakumHTTP
import OakumTestKit
import Testing

/// The page in a real browser, over live data. Without Chromium there is nothing to drive it with.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: Browser.executable != nil))
struct BrowserTests {
    /// Where screenshots are kept when asked for; they go into the README.
    private static let keep = ProcessInfo.processInfo.environment["OAKUM_SCREENSHOTS"]

    private func withPage(
        _ plane: FakeControlPlane, dygraphs: String = "/usr/share/javascript/dygraphs",
        _ body: (BrowserPage, _ url: String) async throws -> Void
    ) async throws {
        try await withConsole(plane, dygraphs: dygraphs) { console, _ in
            try await withTemporaryFolder { folder in
                let browser = try Browser(profile: folder.file("profile"))
                defer { browser.end() }
                try await body(try await BrowserPage.open(browser), console.url)
            }
        }
    }

    private func waitForLiveData(_ page: BrowserPage) async throws {
        try await eventually("the page says it is live") {
            try await page.holds("document.getElementById('live')?.dataset.state === 'live'")
        }
        let memory = "document.querySelector('[data-field=rss]').textContent"
        let first = try await page.evaluate(memory).string
        try await eventually("readings move") { try await page.evaluate(memory).string != first }
        try await eventually("charts are drawn") {
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
            #expect(try await page.holds("document.documentElement.scrollWidth <= innerWidth"))
            #expect(try await page.holds("document.querySelectorAll('.service').length === 2"))
            try keep(file, try await page.screenshot())
            try await page.size(420, 900)
            try await eventually("the chart follows the width") {
                try await page.holds("document.querySelector('.plot canvas').clientWidth <= 420")
            }
            #expect(try await page.holds("document.documentElement.scrollWidth <= innerWidth"))
            if Self.keep != nil { try keep("narrow-\(file)", try await page.screenshot()) }
            #expect(page.browser.complaints == [])
        }
    }
}
