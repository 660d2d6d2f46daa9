@testable import StressRunner
import Testing

/// What is refused before anything is started, and what is said of how small a leak would have been seen.
@Suite struct StressPlanTests {
    private static func plan(_ endpoints: [StressEndpoint], _ settings: StressSettings) -> StressPlan {
        StressPlan(target: StressTarget(words: ["/bin/true"]), endpoints: endpoints, settings: settings)
    }

    @Test func `an operation without a command, and a name that comes twice, are refused`() {
        let good = StressEndpoint(name: "good", operation: .command(["/bin/true"]))
        let empty = StressEndpoint(name: "", operation: .command([]))
        #expect(Self.plan([good], StressSettings()).problem == nil)
        #expect(Self.plan([good, empty], StressSettings()).problem?.contains("without a command") == true)
        #expect(Self.plan([good, good], StressSettings()).problem?.contains("`good`") == true)
    }

    @Test(arguments: [Double.nan, .infinity, 1e30])
    func `times that no clock can hold are refused`(seconds: Double) {
        let endpoints = [StressEndpoint(name: "good", operation: .command(["/bin/true"]))]
        #expect(Self.plan(endpoints, StressSettings(seconds: seconds)).problem != nil)
        #expect(Self.plan(endpoints, StressSettings(patience: seconds)).problem != nil)
    }

    @Test func `one endpoint of which nothing can be told leaves nothing to say for all`() {
        var told = EndpointReport(name: "told", gone: "")
        told.smallestDetectable = 20
        let all = StressReport(endpoints: [told, told], target: [], settings: StressSettings())
        #expect(all.smallestDetectable == 20)
        #expect(StressText.render(all).hasSuffix("a leak of 20.0 B a request would have been seen"))
        let gone = EndpointReport(name: "gone", gone: "")
        let some = StressReport(endpoints: [told, gone], target: [], settings: StressSettings())
        #expect(some.smallestDetectable == nil)
        #expect(StressText.render(some).hasSuffix("cannot be told"))
    }
}
