import OakumModel
import OakumTestKit
import Testing

struct QuantityTests {
    @Test(arguments: [
        (0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (1_536, "1.5 KiB"), (88 << 20, "88.0 MiB"),
        (-(3 << 30), "-3.0 GiB"), (Int64.max, "8192.0 PiB"),
    ])
    func `an amount of memory is written with a binary unit and one decimal`(bytes: Int64, text: String) {
        #expect(ByteCount(bytes).description == text)
    }

    @Test func `adding and taking away cancel out`() async throws {
        try await forAll(seeds: 200) { generator in
            let left = ByteCount(Int64(generator.int(-1_000_000_000...1_000_000_000)))
            let right = ByteCount(Int64(generator.int(-1_000_000_000...1_000_000_000)))
            #expect(left + right - right == left)
            #expect((left < right) == (left.bytes < right.bytes))
        }
    }

    @Test func `time moves by seconds`() {
        let start = Uptime(seconds: 10)
        #expect((start + 2.5) - start == 2.5)
        #expect(start < start + 0.001)
    }

    @Test func `workers are ordered by service, then by number`() {
        let workers = [
            WorkerID(service: "b", number: 1), WorkerID(service: "a", number: 10), WorkerID(service: "a", number: 9),
        ]
        #expect(workers.sorted().map(\.description) == ["a/9", "a/10", "b/1"])
    }
}
