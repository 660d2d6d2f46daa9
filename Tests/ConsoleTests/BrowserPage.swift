import Foundation
import OakumTestKit

/// A tab of a browser.
struct BrowserPage {
    let browser: Browser
    let session: String

    static func open(_ browser: Browser) async throws -> BrowserPage {
        let target = try await browser.call("Target.createTarget", ["url": "about:blank"])
        guard let id = target["targetId"]?.string else { throw TestKitError("no tab") }
        let attached = try await browser.call("Target.attachToTarget", ["targetId": .string(id), "flatten": true])
        guard let session = attached["sessionId"]?.string else { throw TestKitError("no session") }
        let page = BrowserPage(browser: browser, session: session)
        for domain in ["Page", "Runtime", "Log", "Network"] {
            try await page.call("\(domain).enable")
        }
        try await page.call("Emulation.setTimezoneOverride", ["timezoneId": "UTC"])
        return page
    }

    @discardableResult
    func call(_ method: String, _ parameters: Browser.Object = [:]) async throws -> JSONValue {
        try await browser.call(method, parameters, session: session)
    }

    func size(_ width: Int, _ height: Int) async throws {
        try await call(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .number(Double(width)), "height": .number(Double(height)), "deviceScaleFactor": .number(1),
                "mobile": .bool(false),
            ])
    }

    func colourScheme(_ scheme: String) async throws {
        let feature: JSONValue = .object(["name": "prefers-color-scheme", "value": .string(scheme)])
        try await call("Emulation.setEmulatedMedia", ["features": .array([feature])])
    }

    func navigate(_ url: String) async throws {
        let result = try await call("Page.navigate", ["url": .string(url)])
        if let error = result["errorText"]?.string { throw TestKitError("\(url): \(error)") }
    }

    /// The value of an expression, awaited when it is a promise. Throws when the expression throws.
    func evaluate(_ expression: String) async throws -> JSONValue {
        let result = try await call(
            "Runtime.evaluate",
            ["expression": .string(expression), "returnByValue": true, "awaitPromise": true])
        if let text = result["exceptionDetails"]?["exception"]?["description"]?.string {
            throw TestKitError("in the page: \(text)")
        }
        return result["result"]?["value"] ?? .null
    }

    func holds(_ expression: String) async throws -> Bool {
        try await evaluate("Boolean(\(expression))").bool == true
    }

    func screenshot(fullPage: Bool = false) async throws -> Data {
        let result = try await call(
            "Page.captureScreenshot", ["format": "png", "captureBeyondViewport": .bool(fullPage)])
        guard let text = result["data"]?.string, let data = Data(base64Encoded: text) else {
            throw TestKitError("no screenshot")
        }
        return data
    }
}
