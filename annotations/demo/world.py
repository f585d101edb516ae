"""What the sample agent's tools look into. All of it is made up."""

from __future__ import annotations

from dataclasses import dataclass

SHOP = """
create table customers(id integer primary key, name text, city text);
insert into customers values (1,'Orla Finch','Larkhaven'),(2,'Bram Oster','Tidewell'),(3,'Ines Valcourt','Larkhaven'),
  (4,'Piet Hollander','Millbrook');
create table products(id integer primary key, name text, kind text, price real, stock integer);
insert into products values (1,'Heron lamp','lamp',39.5,14),(2,'Marsh lamp','lamp',24.0,9),(3,'Oak stool','stool',61.0,5),
  (4,'Reed basket','basket',18.25,40),(5,'Slate clock','clock',88.0,3);
create table orders(id integer primary key, customer_id integer, product_id integer, quantity integer, day text);
insert into orders values (1001,1,1,2,'2024-02-27'),(1002,2,3,1,'2024-03-02'),(1003,1,5,1,'2024-03-08'),
  (1004,3,4,6,'2024-03-11'),(1005,3,1,3,'2024-03-19'),(1006,4,2,1,'2024-03-23'),(1007,2,2,4,'2024-04-01'),
  (1008,1,5,2,'2024-04-04'),(1009,4,3,3,'2024-04-15');
create table staff(id integer primary key, name text, hourly real, hours real, overtime real);
insert into staff values (1,'Wim Archer',21.5,38,4),(2,'Lotte Mare',24.0,36,0),(3,'Jonas Pell',19.75,40,7.5);
"""

DOCUMENTS = [
    {"title": "Larkhaven town hall", "text": "The town hall of Larkhaven was finished in 1911 to plans by the architect Edda Thorne. Its tower holds the harbour bell."},
    {"title": "Edda Thorne", "text": "Edda Thorne (1874-1949), architect, was born in Millbrook and attended the Quayside School before building in Larkhaven."},
    {"title": "Quayside School", "text": "The Quayside School in Tidewell was founded in 1862 by the ropemakers' guild and moved to its present building in 1903."},
    {"title": "Tidewell ropemakers", "text": "The ropemakers' guild of Tidewell was first chartered in 1741. Its hall burned down in 1860."},
    {"title": "Millbrook grammar", "text": "Millbrook grammar was founded in 1888. Architects and surveyors of the district attended its evening classes."},
    {"title": "Larkhaven harbour ferry", "text": "The ferry runs from Larkhaven to Gull Rock, 6.5 nautical miles, and on from Gull Rock to Tidewell, 11 nautical miles."},
    {"title": "Mayors of Larkhaven", "text": "Mayor Sunniva Dahl served from 1978 to 1990. She was succeeded by Aurel Pike, who served until 2002; Greta Lund followed him."},
    {"title": "Population of Larkhaven", "text": "The census counted 18240 inhabitants in 1980, 19615 in 1990 and 22470 in 2000."},
    {"title": "Population of Tidewell", "text": "The census counted 31050 inhabitants in 1990 and 30120 in 2000."},
    {"title": "The harbour bell", "text": "The bell was cast in 1899 and weighs 640 kilograms. It cracked in 1954 and was recast two years later."},
    {"title": "Heron festival", "text": "The heron festival is held on the second Saturday of May. In 2019 it drew 8400 visitors."},
    {"title": "Gull Rock light", "text": "The light on Gull Rock was lit in 1833. Its keeper's house has been a museum since 1985."},
]  # fmt: skip

FILES = {
    "config/base.toml": 'timeout_seconds = 30\nretries = 2\nregion = "north"\ncache = true\n',
    "config/staging.toml": "# inherits base.toml\nretries = 5\n",
    "config/production.toml": '# inherits base.toml\ntimeout_seconds = 45\nregion = "west"\n',
    "logs/api.log": "09:00:02 INFO start 4.2.0\n09:14:40 WARN slow query 812 ms\n09:31:07 ERROR E217 pool exhausted\n09:31:09 ERROR E217 pool exhausted\n",
    "logs/mailer.log": "09:00:05 INFO start 4.2.0\n09:22:51 ERROR E104 template missing: welcome.html\n09:40:00 INFO queue 0\n",
    "logs/search.log": "09:00:03 INFO start 4.2.0\n10:02:19 ERROR E330 index locked\n",
    "data/sensors.csv": "hour,celsius,flag\n8,17.5,ok\n9,18.0,ok\n10,91.0,fault\n11,19.5,ok\n12,21.0,ok\n",
    "data/recipe.txt": "Reed bread, 4 loaves: flour 1800 g, water 1150 g, salt 36 g, seeds 14 oz\n",
    "notes/permits.txt": "Permit 88-B issued 2024-02-12, valid 45 days counted from the day of issue.\n",
}


@dataclass(frozen=True)
class Room:
    name: str
    seats: int
    taken: tuple[str, ...] = ()


ROOMS = (
    Room("Curlew", 6, ("Thursday 10:00",)),
    Room("Heron", 12, ("Thursday 10:00", "Friday 09:00")),
    Room("Osprey", 16, ("Wednesday 14:00",)),
    Room("Pelican", 30),
)
