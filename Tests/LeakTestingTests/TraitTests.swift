import LeakTesting
import Testing

@Suite(.noGrowth)
struct TraitTests {
    @Test func `a test of a measured suite`() {
        #expect(Item().first == 1)
    }

    @Test(arguments: [1, 2]) func `a test with arguments`(number: Int) async throws {
        let counter = Counter()
        #expect(await counter.makeOne() == 1)
        #expect(number > 0)
    }

    @Test(.noGrowth(calls: 20, warmUp: 2, toleratingBytesPerCall: 8)) func `limits of its own`() {
        #expect(Registry().items.isEmpty)
    }
}
