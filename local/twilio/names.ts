// biome-ignore format: a word list reads better in rows
const PLACES = [
  "Harbor", "Northgate", "Lakeside", "Bluebird", "Cedar", "Summit", "Riverbend", "Copper", "Maple", "Granite",
  "Juniper", "Beacon", "Orchard", "Sterling", "Willow", "Falcon", "Prairie", "Coral", "Aspen", "Lantern",
];

// biome-ignore format: a word list reads better in rows
const TRADES = [
  "Dental", "Couriers", "Veterinary", "Property", "Motors", "Pharmacy", "Insurance", "Fitness", "Travel", "Bakery",
  "Plumbing", "Tutoring", "Florists", "Logistics", "Optics", "Books", "Energy", "Salon", "Catering", "Legal",
];

/** The name of the `nth` customer who has a subaccount, such as `Harbor Dental`; numbered once the names run out. */
export function customerName(nth: number): string {
  const round = Math.floor(nth / PLACES.length);
  const name = `${PLACES[nth % PLACES.length]} ${TRADES[(nth + round) % TRADES.length]}`;
  return round < TRADES.length ? name : `${name} ${nth}`;
}
